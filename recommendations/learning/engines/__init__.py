"""Where the heavy part of a training is computed: in this process, or by Spark."""
