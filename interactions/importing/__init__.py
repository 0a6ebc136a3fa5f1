"""`manage.py import_interactions`: reading files, telling identical rows apart, and storing at the speed of COPY."""
