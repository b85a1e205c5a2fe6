// The workers over time: how many evaluations ran at once, and those of each worker.

const BUSY_HEIGHT = 180;
const MOST_WORKERS = 64;
const MOST_BARS = 20_000;
const BUSY_PARTS = 800;

/** Return the rows that tell when they were started and ended. */
function timedRows() {
  const rows = [];
  for (let row = 0; row < table.length; row++) {
    if (Number.isFinite(table.start[row]) && Number.isFinite(table.end[row])) rows.push(row);
  }
  return rows;
}

/** Return the mean number of evaluations at once in equal parts of the time. */
function busyParts(rows, whole) {
  const busy = new Float64Array(BUSY_PARTS);
  const size = whole / BUSY_PARTS;
  for (const row of rows) {
    const [start, end] = [table.start[row] / size, table.end[row] / size];
    for (let i = Math.floor(start); i < Math.min(BUSY_PARTS, Math.ceil(end)); i++) {
      busy[i] += Math.max(0, Math.min(end, i + 1) - Math.max(start, i));
    }
  }
  return busy;
}

function workersHeight() {
  return Math.min(640, 90 + 18 * workerNames().names.length);
}

function makeBusy(target) {
  const rows = timedRows();
  const whole = rows.reduce((most, row) => Math.max(most, table.end[row]), 0) || 1;
  const [name, unit] = timeUnit(whole);
  const busy = busyParts(rows, whole);
  const figure = makeFigure({height: BUSY_HEIGHT, x: `${name} since the first start`, y: "at once"});
  figure.x_range.start = 0;
  figure.x_range.end = whole / unit;
  figure.y_range.end = 1.08 * Math.max(1, ...busy);
  const x = Float64Array.from(busy, (_, i) => (i * whole) / BUSY_PARTS / unit);
  const area = source("x", "y", "zero");
  area.data = {x, y: busy, zero: new Float64Array(busy.length)};
  figure.varea(field("x"), field("zero"), field("y"), {
    source: area, fill_color: color("finished"), fill_alpha: 0.3,
  });
  figure.line(field("x"), field("y"), {source: area, line_color: color("finished"), line_width: 1.3});
  showFigure(figure, target, {
    onBrush: ([x0, x1], _, more) => brush([{axis: "seconds", low: x0 * unit, high: x1 * unit}], more),
  });
  return () => {};
}

function makeWorkers(target) {
  const rows = timedRows();
  const {names} = workerNames();
  const whole = rows.reduce((most, row) => Math.max(most, table.end[row]), 0) || 1;
  const [name, unit] = timeUnit(whole);
  const figure = makeFigure({height: workersHeight(), x: `${name} since the first start`, y: "worker"});
  figure.x_range.start = 0;
  figure.x_range.end = whole / unit;
  figure.y_range.start = names.length - 0.4;
  figure.y_range.end = -0.6;
  const step = Math.ceil(names.length / 20);
  setTicks(figure, 1, names.map((text, i) => [i, shorten(shown(text), 14)]).filter((_, i) => i % step === 0));
  const numbers = table.coordinates("worker");
  const shortest = whole / 1500;
  const bars = source("left", "right", "top", "bottom", "color");
  figure.quad(field("left"), field("right"), field("top"), field("bottom"), {
    source: bars, fill_color: field("color"), line_color: color("ground"),
    line_width: rows.length > 300 ? 0 : 1,
  });
  const colors = () => {
    const ink = {stopped: color("stopped"), unreadable: color("stopped")};
    for (const [status, sign] of Object.entries(SIGNS)) ink[status] = color(sign.color);
    const rest = color("rest");
    const picked = color("picked");
    return (row) => (row === view.picked ? picked : isChosen[row] ? ink[table.status[row]] : rest);
  };
  const draw = () => {
    const known = rows.filter((row) => !Number.isNaN(numbers[row]));
    setData(bars, {
      left: Float64Array.from(known, (row) => table.start[row] / unit),
      right: Float64Array.from(known, (row) => Math.max(table.end[row], table.start[row] + shortest) / unit),
      top: Float64Array.from(known, (row) => numbers[row] - 0.4),
      bottom: Float64Array.from(known, (row) => numbers[row] + 0.4),
      color: known.map(colors()),
    });
  };
  showFigure(figure, target, {
    onBrush: ([x0, x1], [y0, y1], more) => brush([
      {axis: "seconds", low: x0 * unit, high: x1 * unit}, {axis: "worker", low: y0, high: y1},
    ], more),
    onTap: (x, y) => pick(rows.find((row) => numbers[row] === Math.round(y) &&
      table.start[row] <= x * unit && x * unit <= Math.max(table.end[row], table.start[row] + shortest)) ?? null),
  });
  fillLegend("workers-legend", [...statusItems("bar"), ["picked", {marker: "bar", color: "picked"}]]);
  return draw;
}

function showWorkers() {
  const rows = timedRows();
  byId("workers").hidden = rows.length === 0;
  if (rows.length === 0) return;
  const {names} = workerNames();
  const {utilization, workers, peak} = report.time;
  const them = workers ? workersText() : `${peak}, as many as were ever busy at once`;
  const breaks = (report.status?.sessions ?? 1) > 1 ? ", without the breaks between sessions" : "";
  byId("workers-note").textContent =
    `Utilization ${formatShare(utilization)}: the busy part of the time of ${them}${breaks}.`;
  new Chart("busy-plot", BUSY_HEIGHT, makeBusy);
  const bars = names.length > 1 && names.length <= MOST_WORKERS && rows.length <= MOST_BARS;
  byId("workers-plot").hidden = byId("workers-legend").hidden = !bars;
  if (bars) new Chart("workers-plot", workersHeight(), makeWorkers);
}
