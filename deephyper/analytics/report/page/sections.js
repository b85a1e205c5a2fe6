// The parts of the page that are text: its head, findings, importance, failures, settings.

const MOST_FINDINGS = 8;

/** Return how many evaluations there are of each kind; the journal alone tells which are paused. */
function countsOf() {
  const counts = {finished: 0, failed: 0, pruned: 0, paused: 0, stopped: 0, unreadable: 0};
  for (const status of table.status) counts[status]++;
  for (const kind of ["finished", "failed", "pruned", "paused"]) {
    counts[kind] = report.status?.[kind] ?? counts[kind];
  }
  return counts;
}

/** Return counts as text, those that are zero left out. */
function countsText(...counted) {
  return counted.filter(([number]) => number > 0)
    .map(([number, name]) => `${number.toLocaleString("en")} ${name}`).join(", ");
}

function card(title, value, more = "") {
  const made = element("div", {class: "card"},
    element("div", {class: "title", text: title}), element("div", {class: "value", text: value}));
  if (more) made.append(element("div", {class: "more", text: more}));
  return made;
}

function showHead() {
  byId("name").textContent = shown(report.name);
  const owner = report.status?.owner;
  const live = report.state === "running" || report.state === "open";
  const where = live && owner?.host ? ` on ${shown(owner.host)}, process ${owner.pid ?? "?"}` : "";
  byId("state").textContent = `${shown(report.stateText)}${where} · ` +
    `${report.direction === "minimize" ? "minimized" : "maximized"} · as of ${formatTime(report.made)}`;
  const counts = countsOf();
  const status = report.status;
  const ended = counts.finished + counts.failed + counts.pruned;
  const wanted = status?.maxEvals ? ` of ${status.maxEvals.toLocaleString("en")}` : "";
  const parts = countsText([counts.finished, "finished"], [counts.pruned, "ended early"], [counts.failed, "failed"]);
  const others = countsText([counts.paused, "paused"], [counts.stopped, "stopped"], [counts.unreadable, "unreadable"]);
  const kinds = [parts, others && `besides ${others}`].filter(Boolean).join("; ");
  byId("best").replaceChildren(bestCard());
  const cards = [];
  cards.push(card("Evaluations", `${ended.toLocaleString("en")}${wanted}`, kinds));
  if (status && (live || status.unfinished)) {
    const again = status.unfinished - status.running;
    const name = report.state === "open" ? "Asked for" : "Running";
    cards.push(card(name, status.running.toLocaleString("en"), again > 0 ? `${again} to run again` : ""));
  }
  const seconds = status?.seconds ?? report.time?.seconds;
  if (seconds !== undefined && seconds !== null) {
    const limit = status?.timeout ? `of ${formatDuration(status.timeout)}` : "";
    const sessions = (status?.sessions ?? 1) > 1 ? `in ${status.sessions} sessions` : "";
    cards.push(card("Time", formatDuration(seconds), [limit, sessions].filter(Boolean).join(", ")));
  }
  if (report.time) {
    cards.push(card("Utilization", formatShare(report.time.utilization), `of ${workersText()}`));
  }
  const since = sinceImprovement(live);
  if (since) cards.push(since);
  byId("cards").replaceChildren(...cards);
  byId("notices").replaceChildren(...report.notices.map((text) => element("p", {text: shown(text)})));
}

/** Return how many workers there were, or how many were ever busy where that isn't known. */
function workersText() {
  const {workers, peak} = report.time;
  if (!workers) return `${peak} at once`;
  const [low, high] = workers;
  return low === high ? plural(high, "worker") : `${low} to ${high} workers`;
}

function sinceImprovement(live) {
  const best = report.best;
  if (!best || !report.time || !Number.isFinite(table.end[best.row])) return null;
  const later = table.order.length - table.coordinates("order")[best.row];
  const now = live ? report.made : report.time.last;
  const seconds = now - report.firstTime - table.end[best.row];
  const evaluations = later ? `${plural(later, "evaluation")} since then` : "the last evaluation";
  return card("Last improvement", formatDuration(seconds), `${live ? "ago" : "before the end"}, ${evaluations}`);
}

function bestCard() {
  const best = report.best;
  if (!best) return card("Best objective", "none");
  const made = element("div", {class: "card"}, element("div", {class: "title", text: "Best objective"}));
  const copy = element("button", {type: "button", text: "Copy the point"});
  copy.addEventListener("click", () => copyText(best.point, copy));
  const see = element("button", {type: "button", text: "Show it in the charts"});
  see.addEventListener("click", () => { change({picked: best.row}); });
  made.append(element("div", {class: "best-head"},
    element("span", {class: "value", text: formatNumber(best.objective)}),
    element("span", {class: "more", text: `evaluation ${shown(table.name(best.row))}`}),
    element("span", {class: "buttons"}, copy, see)));
  const items = [];
  for (const column of table.columns) {
    if (column.role !== "hyperparameter" || table.isMissing(column, best.row)) continue;
    items.push(element("li", {},
      element("span", {class: "key", text: `${shorten(shown(column.title), 60)} `}),
      element("b", {text: shorten(shown(table.text(column, best.row)), 80)})));
  }
  made.append(element("ul", {class: "point"}, ...items));
  return made;
}

function showFindings() {
  const texts = report.findings.length ? report.findings.map((each) => each.text) : [report.tooLittle];
  const items = texts.map((text) => element("li", {text: shown(text)}));
  byId("findings").replaceChildren(...items.slice(0, MOST_FINDINGS));
  if (items.length <= MOST_FINDINGS) return;
  const rest = items.slice(MOST_FINDINGS);
  byId("insight").append(element("details", {},
    element("summary", {text: `${rest.length} more`}), element("ul", {}, ...rest)));
}

/** Show a share and the interval that holds it, as a bar and in numbers. */
function showImportance() {
  const found = report.importance;
  const body = byId("importance-body");
  body.replaceChildren(...report.importanceText.map((text) => element("p", {class: "note", text: shown(text)})));
  const known = (found?.hyperparameters ?? []).filter((effect) => effect.share !== null);
  if (!known.length) return;
  const pairs = found.pairs.filter((effect) => effect.share !== null && effect.share >= 0.005).slice(0, 5);
  const rows = [
    ...known.slice(0, 15).map((effect) => [effect.name, effect]),
    ...pairs.map((effect) => [`${effect.names[0]} × ${effect.names[1]}`, effect]),
  ];
  const most = Math.max(...rows.map(([, effect]) => effect.high), 0.01);
  const head = ["Hyperparameter", "Share of the variance (95%)", ""];
  body.append(element("table", {class: "bars"},
    element("thead", {}, element("tr", {},
      element("th", {class: "name", scope: "col", text: head[0]}), element("th", {scope: "col", text: head[1]}),
      element("td", {class: "number"}))),
    element("tbody", {}, ...rows.map(([name, effect]) => {
      const fill = element("div", {class: "fill"});
      fill.style.width = `${(100 * effect.share) / most}%`;
      const range = element("div", {class: "range"});
      range.style.left = `${(100 * effect.low) / most}%`;
      range.style.width = `${(100 * (effect.high - effect.low)) / most}%`;
      return element("tr", {},
        element("th", {class: "name", scope: "row", text: shorten(shown(name), 80)}),
        element("td", {}, element("div", {class: "bar", "aria-hidden": "true"}, fill, range)),
        element("td", {class: "number",
          text: `${formatShare(effect.share)} (${(100 * effect.low).toFixed(1)} to ${(100 * effect.high).toFixed(1)})`}));
    }))));
  const more = found.hyperparameters.length - 15;
  if (more > 0) body.append(element("p", {class: "note", text: `and ${more} more with smaller shares`}));
}

function showFailures() {
  byId("failures").hidden = report.failures.length === 0;
  byId("failures-body").replaceChildren(...report.failures.map((group, i) => {
    const made = element("details", {},
      element("summary", {}, element("span", {class: "count", text: `${group.size.toLocaleString("en")} ×`}),
        element("span", {text: shorten(shown(group.title), 400)})));
    made.open = i === 0;
    const choose = element("button", {type: "button", text: "Choose these evaluations"});
    choose.addEventListener("click", () => brush([{axis: "group", low: group.group, high: group.group}], false));
    made.append(element("p", {class: "buttons"}, choose));
    for (const each of group.examples) {
      made.append(element("p", {class: "note", text: `Evaluation ${shown(each.id)}: ${shown(each.message)}`}));
      for (const [title, text] of [["Traceback", each.text], ["Output", each.output]]) {
        if (!text) continue;
        made.append(element("div", {class: "note", text: `${title}, its end`}),
          element("pre", {tabindex: "0", role: "region", "aria-label": `${title} of evaluation ${shown(each.id)}`,
            text: shown(text, true)}));
      }
    }
    return made;
  }));
}

function plainTable(name, titles, rows) {
  return element("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": name}, element("table", {class: "plain"},
    element("thead", {}, element("tr", {}, ...titles.map((text) => element("th", {scope: "col", text})))),
    element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((text) => element("td", {text})))))));
}

function showRunning() {
  const running = report.running;
  byId("running").hidden = running.length === 0;
  if (!running.length) return;
  const title = {running: "Running", open: "Asked for"}[report.state] ?? "Unfinished";
  byId("running-title").textContent = title;
  const titles = ["id", "worker", "for", "step", "reported", "point"];
  byId("running-body").replaceChildren(plainTable(title, titles, running.slice(0, 200).map((each) => [
    shown(each.id), each.worker === null ? "waits" : shown(each.worker), report.state === "running" || report.state === "open" ? formatDuration(each.age) : "",
    each.step === null ? "" : String(each.step), each.value === null ? "" : formatNumber(each.value),
    shorten(shown(each.point), 300),
  ])));
  const all = report.status.unfinished;
  if (all > 200) byId("running-body").append(element("p", {class: "note", text: `and ${all - 200} more`}));
}

function rangeText(each) {
  if (each.numValues) {
    const texts = each.values.map((text) => shown(text));
    const more = each.numValues > texts.length ? `, … (${each.numValues})` : "";
    return shorten(texts.join(", "), 400) + more;
  }
  return `${formatNumber(each.lower)} to ${formatNumber(each.upper)}${each.log ? ", log" : ""}`;
}

function showRun() {
  const body = byId("run-body");
  const {command, settings} = report.run;
  if (command) {
    const copy = element("button", {type: "button", text: "Copy the command"});
    copy.addEventListener("click", () => copyText(command, copy));
    body.append(element("h3", {text: "Command"}),
      element("pre", {tabindex: "0", role: "region", "aria-label": "Command", text: shown(command, true)}),
      element("p", {class: "buttons"}, copy));
  }
  if (settings.length) {
    body.append(element("h3", {text: "Settings"}),
      plainTable("Settings", ["setting", "value"], settings.map((row) => row.map((text) => shown(text)))));
  }
  if (report.hyperparameters.length) {
    const kinds = {float: "number", int: "whole number", ordered: "ordered", category: "category"};
    body.append(element("h3", {text: "Space"}),
      plainTable("Space", ["hyperparameter", "kind", "values", "active if"], report.hyperparameters.map((each) => [
        shown(each.name), kinds[each.kind], rangeText(each),
        each.condition ? shown(each.condition) : each.conditional ? "sometimes" : "",
      ])));
  }
  byId("footer").textContent = `Made by deephyper ${report.version} from ${shown(report.source)}. ` +
    "The charts are drawn by Bokeh.";
}

/** Show everything of the evaluation that is picked. */
function showPicked() {
  const panel = byId("picked");
  const row = view.picked;
  panel.hidden = row === null;
  if (row === null) return;
  const close = element("button", {type: "button", text: "Close"});
  close.addEventListener("click", () => {
    change({picked: null});
    byId("table-scroll").focus({preventScroll: true});
  });
  const copy = element("button", {type: "button", text: "Copy the point"});
  copy.addEventListener("click", () => copyText(table.point(row), copy));
  const list = element("dl", {});
  for (const column of table.shownColumns) {
    if (column.role === "id" || table.isMissing(column, row)) continue;
    list.append(element("dt", {text: shorten(shown(column.title), 60)}),
      element("dd", {text: shown(table.text(column, row))}));
  }
  panel.replaceChildren(
    element("h2", {}, element("span", {text: `Evaluation ${shown(table.name(row))}`}), close), list, copy);
}

function showNavigation() {
  const titles = [["insight", "Findings"], ["history", "Objective"], ["slices", "Hyperparameters"],
    ["parallel", "Parallel"], ["importance", "Importance"], ["curves", "Curves"], ["workers", "Workers"],
    ["table", "Evaluations"], ["running", byId("running-title").textContent], ["failures", "Failures"], ["run", "The search"]];
  byId("nav").replaceChildren(...titles.filter(([id]) => !byId(id).hidden).map(([id, text]) =>
    element("a", {href: `#${id}`, text})));
}
