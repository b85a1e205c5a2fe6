// The objective against each hyperparameter, those that matter most first.

const SLICE_HEIGHT = 190;
const FIRST_SLICES = 12;
const MOST_SLICE_POINTS = 4_000;
let sliceCharts = [];

/** Return the hyperparameters that vary, by their share of the variance where that is known. */
function variedHyperparameters() {
  const shares = new Map((report.importance?.hyperparameters ?? []).map((e) => [e.name, e.share ?? 0]));
  const varied = report.hyperparameters.filter((each) =>
    table.hyperparameterColumn(each.name) && (each.numValues ? each.numValues > 1 : each.upper > each.lower));
  return varied
    .map((each, i) => [each, shares.get(each.name) ?? 0, i])
    .sort((a, b) => b[1] - a[1] || a[2] - b[2])
    .map(([each]) => each);
}

function showSlices() {
  for (const chart of sliceCharts) chart.stop();
  const varied = variedHyperparameters();
  const wanted = view.allSlices ? varied : varied.slice(0, FIRST_SLICES);
  const more = byId("slices-more");
  more.hidden = varied.length <= FIRST_SLICES;
  more.textContent = view.allSlices ? "Show fewer" : `Show all ${varied.length}`;
  byId("slices-plots").replaceChildren(...wanted.map((each, i) => {
    const share = report.importance?.hyperparameters.find((e) => e.name === each.name)?.share;
    const told = [each.log ? "log" : "", share ? formatShare(share) : ""].filter(Boolean).join(", ");
    const title = element("h3", {text: shorten(shown(each.name), 80)});
    if (told) title.append(" ", element("span", {class: "more", text: `(${told})`}));
    return element("div", {}, title, element("div", {class: "plot", id: `slice-${i}`}));
  }));
  sliceCharts = wanted.map((each, i) => new Chart(`slice-${i}`, SLICE_HEIGHT, (target) => makeSlice(target, each)));
}

/** Return ticks of a hyperparameter: [place, text]. */
function ticksOf(described, most = 6) {
  if (described.numValues) {
    const step = Math.ceil(described.values.length / most);
    const longest = described.numValues > 4 ? 7 : 12;
    return described.values
      .map((text, i) => [(i + 0.5) / described.numValues, shorten(shown(plainText(text)), longest)])
      .filter((_, i) => i % step === 0);
  }
  const {low, high, scaled} = scaleOf(described);
  const {lower, upper, log, kind} = described;
  const numbers = [];
  if (log) {
    const decades = Math.log10(upper / lower);
    const steps = decades < 1.5 ? [1, 2, 5] : decades < 3 ? [1, 3] : [1];
    for (let e = Math.floor(Math.log10(lower)); e <= Math.ceil(Math.log10(upper)); e++) {
      for (const step of steps) numbers.push(Number(`${step}e${e}`));
    }
  } else {
    const size = 10 ** Math.floor(Math.log10((upper - lower) / most));
    const fits = (step) => Math.floor(upper / step + 1e-9) - Math.ceil(lower / step - 1e-9) < most;
    let step = ([1, 2, 2.5, 5, 10, 20].find((each) => fits(each * size)) ?? 20) * size;
    if (kind === "int") step = Math.max(1, Math.ceil(step));
    for (let i = Math.ceil(lower / step - 1e-9); i * step <= upper * (1 + 1e-12); i++) numbers.push(i * step);
  }
  const inside = numbers.filter((n) => n >= lower * (1 - 1e-12) && n <= upper * (1 + 1e-12));
  const kept = inside.length >= 2 ? inside : [lower, upper];
  const skip = Math.ceil(kept.length / most);
  return kept.filter((_, i) => i % skip === 0)
    .map((n) => [(scaled(n) - low) / (high - low || 1), tickText(n)]);
}

function tickText(number) {
  const size = Math.abs(number);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return number.toExponential(1).replace(".0e", "e").replace("e+", "e");
  return formatNumber(number, 4);
}

function makeSlice(target, described) {
  const axis = `hp:${described.name}`;
  const places = table.coordinates(axis);
  const figure = makeFigure({height: SLICE_HEIGHT, x: "", y: ""});
  figure.x_range.start = -0.04;
  figure.x_range.end = 1.04;
  setTicks(figure, 0, ticksOf(described, 5));
  // Equal values would hide one another.
  const few = described.numValues || (described.kind === "int" && !described.log
    ? described.upper - described.lower + 1 : Infinity);
  const width = few <= 30 ? 0.5 / few : 0;
  const xs = places.map((place, row) => place + width * (((row * 0.61803398875) % 1) - 0.5));
  const glyphs = {rest: source("x", "y")};
  figure.scatter(field("x"), field("y"), {
    source: glyphs.rest, size: 4, marker: "circle", line_color: null, fill_color: color("rest"),
    fill_alpha: 0.5,
  });
  for (const [status, sign] of Object.entries(SIGNS)) {
    glyphs[status] = source("x", "y");
    figure.scatter(field("x"), field("y"), {
      source: glyphs[status], size: table.length > 1000 ? 4 : 6, marker: sign.marker,
      line_color: status === "failed" ? color(sign.color) : null, fill_color: color(sign.color),
      line_width: 1.3, alpha: table.length > 1000 ? 0.5 : 0.75,
    });
  }
  const picked = source("x", "y");
  figure.scatter(field("x"), field("y"), {
    source: picked, size: 14, marker: "circle", fill_color: null, line_color: color("picked"),
    line_width: 3,
  });
  let seen = sightOfRows();
  const height = (row) => (table.status[row] === "failed" ? failedEdge(seen) : table.objectives[row]);
  const put = (rows) => ({
    x: Float64Array.from(rows, (row) => xs[row]), y: Float64Array.from(rows, height),
  });
  const draw = () => {
    seen = sightOfRows();
    figure.y_range.start = seen.low;
    figure.y_range.end = seen.high;
    const {chosen, others} = splitRows((row) => !Number.isNaN(xs[row]) && table.status[row] in SIGNS);
    setData(glyphs.rest, put(thinned(others, MOST_SLICE_POINTS / 4)));
    const drawn = thinned(chosen, MOST_SLICE_POINTS);
    for (const status of Object.keys(SIGNS)) {
      setData(glyphs[status], put(drawn.filter((row) => table.status[row] === status)));
    }
    setData(picked, put(view.picked === null ? [] : [view.picked].filter((row) => !Number.isNaN(xs[row]))));
  };
  showFigure(figure, target, {
    onBrush: ([x0, x1], [y0, y1], more) =>
      brush([{axis, low: x0, high: x1}, ...objectivePart(y0, y1, seen)], more),
    onTap: (x, y) => pick(nearestRow(xs, height, x, y, figure, splitRows((r) => !Number.isNaN(xs[r])).chosen)),
  });
  return draw;
}
