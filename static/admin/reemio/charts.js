// Draws every canvas that names its data, in the colours of the theme, and again when the theme changes.

const COLOURS = ["--c1", "--c2", "--c3", "--c4", "--c5", "--c6"];
const drawn = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function faint(value) {
  return `${value}1f`;
}

const WRITTEN = {
  number: (value) => value.toLocaleString("en"),
  money: (value, currency) => `${value.toLocaleString("en", { maximumFractionDigits: value < 1000 ? 2 : 0 })} ${currency}`,
  percent: (value) => `${(value * 100).toLocaleString("en", { maximumFractionDigits: 2 })} %`,
  milliseconds: (value) => `${value.toLocaleString("en", { maximumFractionDigits: 1 })} ms`,
};

function dataset(series, place, data) {
  const stroke = colour(series.dashed ? "--c6" : COLOURS[place % COLOURS.length]);
  const shared = { label: series.label, data: series.values, borderColor: stroke };
  if (data.kind !== "line") {
    return { ...shared, backgroundColor: stroke, borderWidth: 0, borderRadius: 3, maxBarThickness: 26 };
  }
  return {
    ...shared,
    backgroundColor: faint(stroke),
    fill: !series.dashed && data.series.length <= 2 && place === 0,
    borderDash: series.dashed ? [5, 4] : [],
    borderWidth: series.dashed ? 1.5 : 2,
    pointRadius: data.labels.length > 40 ? 0 : 2,
    pointHoverRadius: 5,
    cubicInterpolationMode: "monotone",
    spanGaps: true,
  };
}

function axes(data) {
  const write = (value) => WRITTEN[data.unit](value, data.currency).trim();
  const quiet = { color: colour("--soft"), font: { size: 11 } };
  const figures = {
    beginAtZero: true,
    stacked: data.stacked,
    grid: { color: colour("--line") },
    border: { display: false },
    ticks: { ...quiet, maxTicksLimit: 6, callback: (value) => write(value) },
  };
  const names = {
    stacked: data.stacked,
    grid: { display: false },
    border: { color: colour("--line") },
    ticks: { ...quiet, maxRotation: 0, autoSkip: data.kind !== "rows", autoSkipPadding: 14 },
  };
  return data.kind === "rows" ? { x: figures, y: names } : { x: names, y: figures };
}

function options(data) {
  return {
    indexAxis: data.kind === "rows" ? "y" : "x",
    responsive: true,
    maintainAspectRatio: false,
    animation: false,
    interaction: { mode: "index", axis: data.kind === "rows" ? "y" : "x", intersect: false },
    scales: axes(data),
    plugins: {
      legend: {
        display: data.series.length > 1,
        align: "start",
        labels: { color: colour("--ink"), boxWidth: 14, boxHeight: data.kind === "line" ? 2 : 10, font: { size: 12 } },
      },
      tooltip: {
        callbacks: {
          label: (item) => `${item.dataset.label}: ${item.raw === null ? "–" : WRITTEN[data.unit](item.raw, data.currency).trim()}`,
        },
      },
    },
  };
}

function draw(canvas) {
  const source = document.getElementById(canvas.dataset.chart);
  const data = JSON.parse(source.textContent);
  drawn.get(canvas)?.destroy();
  const type = data.kind === "line" ? "line" : "bar";
  const datasets = data.series.map((series, place) => dataset(series, place, data));
  drawn.set(canvas, new window.Chart(canvas, { type, data: { labels: data.labels, datasets }, options: options(data) }));
}

function drawAll() {
  if (!window.Chart) return;
  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  document.querySelectorAll("canvas[data-chart]").forEach(draw);
}

drawAll();
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
