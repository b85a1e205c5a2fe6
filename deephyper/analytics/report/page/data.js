// The content of the report: values, and typed arrays that they refer to.

const TYPES = {i1: Int8Array, i2: Int16Array, i4: Int32Array, f8: Float64Array};
const report = JSON.parse(byId("values").textContent);
let block = new ArrayBuffer(0);

/** Read the block of numbers; it is compressed by zlib, in base64. */
async function readArrays() {
  const text = atob(byId("arrays").textContent);
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  block = await new Response(stream).arrayBuffer();
  byId("arrays").remove();
}

/** Return the array that a value of the report refers to. */
function arrayAt({type, at, length}) {
  return new TYPES[type](block, at, length);
}

/** The table of evaluations, column by column. */
class Table {
  constructor() {
    this.length = report.numRows;
    this.columns = report.columns.map((column) => ({
      ...column,
      values: arrayAt(column.data),
      nans: new Set(column.nans ?? []),
    }));
    const status = this.column("status");
    this.status = Array.from({length: this.length}, (_, i) => status.texts[status.values[i]]);
    const none = new Float64Array(this.length).fill(NaN);
    this.objectives = this.column("objective")?.values ?? none;
    this.start = this.column("start")?.values ?? none;
    this.end = this.column("end")?.values ?? none;
    this.shownColumns = this.columns.filter((column) => column.role !== "group");
    this._places = new Map();
    this._rowOfId = null;
    this.order = this._order();
  }

  /** Return the first column with a role. */
  column(role) {
    return this.columns.find((column) => column.role === role);
  }

  hyperparameterColumn(name) {
    return this.columns.find((c) => c.role === "hyperparameter" && c.title === name);
  }

  /** Return whether a row has no value in a column. */
  isMissing(column, row) {
    if (column.type === "text") return column.values[row] < 0;
    return Number.isNaN(column.values[row]) && !column.nans.has(row);
  }

  /** Return what a cell shows; all digits where they are wanted. */
  text(column, row, exact = false) {
    if (this.isMissing(column, row)) return "";
    const value = column.values[row];
    if (column.type === "text") return column.texts[value];
    return exact && Number.isFinite(value) ? String(value) : formatNumber(value);
  }

  /** Return the number of a row by which people know it: its id, or its place in the file. */
  name(row) {
    const column = this.column("id");
    const text = column ? this.text(column, row, true) : "";
    return text || `in row ${row + 1}`;
  }

  /** Return the row of an evaluation by its id; -1 if there is none. */
  rowOf(id) {
    const column = this.column("id");
    if (this._rowOfId === null) {
      this._rowOfId = new Map();
      if (column) {
        for (let i = 0; i < this.length; i++) this._rowOfId.set(this.text(column, i, true), i);
      }
    }
    return this._rowOfId.get(String(id)) ?? -1;
  }

  /** Return the point of a row as JSON. */
  point(row) {
    const point = Object.create(null);  // a name may be __proto__
    for (const column of this.columns) {
      if (column.role !== "hyperparameter" || this.isMissing(column, row)) continue;
      const value = column.values[row];
      point[column.title] = column.type === "number" ? value : valueOf(column.texts[value]);
    }
    return JSON.stringify(point, null, 1);
  }

  /** Return the rows that have ended, in the order in which they did. */
  _order() {
    const rows = [];
    for (let i = 0; i < this.length; i++) {
      if (["finished", "failed", "pruned"].includes(this.status[i])) rows.push(i);
    }
    if (rows.every((row) => Number.isFinite(this.end[row]))) {
      rows.sort((a, b) => this.end[a] - this.end[b] || a - b);
    }
    return Int32Array.from(rows);
  }

  /**
   * Return the coordinate of each row on an axis, by which charts draw and choose:
   * `order` (the number of an evaluation that has ended), `seconds`, `start`, `objective`,
   * `worker`, or `hp:NAME` (the place of a value in its range, from 0 to 1).
   */
  coordinates(axis) {
    if (!this._places.has(axis)) this._places.set(axis, this._coordinates(axis));
    return this._places.get(axis);
  }

  _coordinates(axis) {
    if (axis === "objective") return this.objectives;
    if (axis === "seconds") return this.end;
    if (axis === "start") return this.start;
    if (axis === "group") return this.column("group")?.values ?? new Float64Array(this.length).fill(NaN);
    const found = new Float64Array(this.length).fill(NaN);
    if (axis === "order") {
      this.order.forEach((row, i) => { found[row] = i + 1; });
    } else if (axis === "worker") {
      const {numbers} = workerNames();
      const column = this.column("worker");
      for (let i = 0; column && i < this.length; i++) {
        found[i] = this.isMissing(column, i) ? NaN : numbers.get(this.text(column, i, true));
      }
    } else {
      const name = axis.slice(3);
      const column = this.hyperparameterColumn(name);
      const described = report.hyperparameters.find((each) => each.name === name);
      const place = column && described ? placing(column, described) : () => NaN;
      for (let i = 0; i < this.length; i++) found[i] = place(i);
    }
    return found;
  }
}

/** Return the value that the text of a cell stands for. */
function valueOf(text) {
  if (text === "True" || text === "False") return text === "True";
  if (text === "None") return null;
  if (text.startsWith('"')) {
    try { return JSON.parse(text); } catch { return text; }
  }
  return text;
}

/** Return the text of a cell without the quotes that tell it from a number. */
function plainText(text) {
  return text.startsWith('"') ? String(valueOf(text)) : text;
}

/** Return the function that gives the place of a row's value in its hyperparameter's range. */
function placing(column, described) {
  const values = column.values;
  if (described.numValues) {
    const places = new Map(described.values.map((text, i) => [text, (i + 0.5) / described.numValues]));
    if (column.type === "text") return (row) => places.get(column.texts[values[row]]) ?? NaN;
    const numbers = new Map([...places].map(([text, place]) => [Number(text), place]));
    return (row) => numbers.get(values[row]) ?? NaN;
  }
  if (column.type === "text") return () => NaN;
  const {low, high, scaled} = scaleOf(described);
  return (row) => {
    const place = (scaled(values[row]) - low) / (high - low || 1);
    return place >= -1e-9 && place <= 1 + 1e-9 ? Math.min(1, Math.max(0, place)) : NaN;
  };
}

/** Return the scale of a range of numbers: its ends, and what to do with a number. */
function scaleOf({kind, lower, upper, log}) {
  const scaled = log ? Math.log : (number) => number;
  const half = kind === "int" ? 0.5 : 0;
  return {low: scaled(lower - half), high: scaled(upper + half), scaled};
}

/** Return the names of the workers, sorted as people do, and the number of each. */
function workerNames() {
  const column = table.column("worker");
  if (!column) return {names: [], numbers: new Map()};
  const found = new Set();
  for (let i = 0; i < table.length; i++) {
    if (!table.isMissing(column, i)) found.add(table.text(column, i, true));
  }
  const names = [...found].sort(new Intl.Collator("en", {numeric: true}).compare);
  return {names, numbers: new Map(names.map((name, i) => [name, i]))};
}

let table;
