// Learning curves: what each evaluation has reported, step by step.

const CURVES_HEIGHT = 320;
const ENDS = {
  finished: {color: "finished", name: "finished"},
  "ended early": {color: "pruned", name: "ended early"},
  failed: {color: "failed", name: "failed"},
  "not ended": {color: "stopped", name: "not ended"},
};

function makeCurves(target) {
  const figure = makeFigure({height: CURVES_HEIGHT, x: "step", y: "reported objective"});
  const all = report.curves.map((curve) => ({
    ...curve,
    row: table.rowOf(curve.id),
    xs: [...arrayAt(curve.steps)],
    ys: [...arrayAt(curve.objectives)],
  }));
  const layers = {rest: source("xs", "ys")};
  figure.multi_line(field("xs"), field("ys"), {source: layers.rest, line_color: color("rest"), line_alpha: 0.4});
  const many = all.length > 60;
  for (const [end, sign] of Object.entries(ENDS)) {
    layers[end] = source("xs", "ys");
    figure.multi_line(field("xs"), field("ys"), {
      source: layers[end], line_color: color(sign.color), line_width: 1.1, line_alpha: many ? 0.45 : 0.8,
    });
    layers[`${end} alone`] = source("x", "y");
    figure.scatter(field("x"), field("y"), {
      source: layers[`${end} alone`], size: 4, marker: "circle", line_color: null,
      fill_color: color(sign.color), fill_alpha: many ? 0.5 : 0.8,
    });
  }
  layers.best = source("xs", "ys");
  figure.multi_line(field("xs"), field("ys"), {source: layers.best, line_color: color("best"), line_width: 2.5});
  layers.picked = source("xs", "ys");
  figure.multi_line(field("xs"), field("ys"), {source: layers.picked, line_color: color("picked"), line_width: 3.5});
  const put = (curves) => ({xs: curves.map((c) => c.xs), ys: curves.map((c) => c.ys)});

  const draw = () => {
    const narrowed = isNarrowed();
    const inView = (curve) => !narrowed || (curve.row >= 0 && isChosen[curve.row] === 1);
    const chosen = all.filter(inView);
    const basis = view.zoom && chosen.length ? chosen : all;
    const steps = basis.flatMap((curve) => [curve.xs[0], curve.xs[curve.xs.length - 1]]);
    const [low, high] = [Math.min(...steps), Math.max(...steps)];
    const margin = 0.02 * (high - low) || 0.5;
    figure.x_range.start = low - margin;
    figure.x_range.end = high + margin;
    const seen = sight(basis.flatMap((curve) => curve.ys));
    figure.y_range.start = seen.low;
    figure.y_range.end = seen.high;
    setData(layers.rest, put(all.filter((curve) => !inView(curve))));
    for (const end of Object.keys(ENDS)) {
      const ofEnd = chosen.filter((curve) => curve.ended === end);
      setData(layers[end], put(ofEnd.filter((curve) => curve.xs.length > 1)));
      const alone = ofEnd.filter((curve) => curve.xs.length === 1);
      setData(layers[`${end} alone`], {x: alone.map((c) => c.xs[0]), y: alone.map((c) => c.ys[0])});
    }
    setData(layers.best, put(all.filter((curve) => report.best && curve.row === report.best.row)));
    setData(layers.picked, put(all.filter((curve) => curve.row >= 0 && curve.row === view.picked)));
  };
  showFigure(figure, target, {
    onTap: (x, y) => {
      const width = figure.x_range.end - figure.x_range.start;
      const height = figure.y_range.end - figure.y_range.start;
      let [best, least] = [null, 0.03];
      for (const curve of all) {
        if (isNarrowed() && !(curve.row >= 0 && isChosen[curve.row])) continue;
        const distance = distanceTo(curve, x, y, width, height);
        if (distance < least) [best, least] = [curve.row, distance];
      }
      pick(best);
    },
  });
  const ends = Object.entries(ENDS).filter(([end]) => all.some((curve) => curve.ended === end));
  fillLegend("curves-legend", [
    ...ends.map(([, {name, color: ink}]) => [name, {marker: "line", color: ink}]),
    ["the best", {marker: "line", color: "best"}], ["picked", {marker: "line", color: "picked"}],
  ]);
  byId("curves-note").textContent = all.length < report.numCurves
    ? `${all.length.toLocaleString("en")} of ${report.numCurves.toLocaleString("en")} curves, spread over the search.` : "";
  return draw;
}

/** Return how far a curve is from a place, in parts of the figure. */
function distanceTo({xs, ys}, x, y, width, height) {
  let least = Infinity;
  for (let i = 0; i < xs.length; i++) {
    const next = Math.min(i + 1, xs.length - 1);
    const [dx, dy] = [(xs[next] - xs[i]) / width, (ys[next] - ys[i]) / height];
    const [px, py] = [(x - xs[i]) / width, (y - ys[i]) / height];
    const along = Math.min(1, Math.max(0, (px * dx + py * dy) / (dx * dx + dy * dy || 1)));
    least = Math.min(least, Math.hypot(px - along * dx, py - along * dy));
  }
  return least;
}
