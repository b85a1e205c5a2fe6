// The table of evaluations. Only the rows in sight are elements, however many there are.

const ROW_HEIGHT = 30;
const MARGIN_ROWS = 8;
const PRINTED_ROWS = 100;

class EvaluationsTable {
  constructor() {
    this.scroll = byId("table-scroll");
    this.head = byId("evaluations").tHead;
    this.body = byId("evaluations").tBodies[0];
    this.rows = [];
    this.active = 0;
    this.printed = false;
    this.range = [-1, -1];
    this.makeHead();
    this.scroll.addEventListener("scroll", () => this.draw());
    this.scroll.addEventListener("keydown", (event) => this.onKey(event));
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr[data-row]");
      if (row) {
        this.active = Number(row.getAttribute("aria-rowindex")) - 2;
        pick(Number(row.dataset.row));
      }
    });
    addEventListener("resize", () => this.draw(true));
  }

  makeHead() {
    this.head.replaceChildren(element("tr", {}, ...table.shownColumns.map((column) => {
      const button = element("button", {type: "button", text: shorten(shown(column.title), 40)});
      if (column.title.length > 40) button.title = shown(column.title);
      button.addEventListener("click", () => this.sortBy(column));
      return element("th", {scope: "col", class: column.type}, button);
    })));
  }

  sortBy(column) {
    const same = view.sort.title === column.title;
    const first = column.role === "objective" ? report.direction === "minimize" : true;
    if (same && view.sort.ascending !== first) change({sort: {title: null, ascending: true}});
    else change({sort: {title: column.title, ascending: same ? !view.sort.ascending : first}});
  }

  /** Show the rows that are chosen, in the order that is wanted. */
  update() {
    const rows = [];
    for (let row = 0; row < table.length; row++) if (isChosen[row]) rows.push(row);
    const column = table.shownColumns.find((each) => each.title === view.sort.title);
    if (column) sortRows(rows, column, view.sort.ascending);
    this.rows = rows;
    this.active = Math.min(this.active, Math.max(0, rows.length - 1));
    for (const [i, cell] of [...this.head.rows[0].cells].entries()) {
      const sorted = table.shownColumns[i] === column;
      const button = cell.firstChild;
      const mark = sorted ? (view.sort.ascending ? " ▲" : " ▼") : "";
      button.textContent = shorten(shown(table.shownColumns[i].title), 40) + mark;
      if (sorted) cell.setAttribute("aria-sort", view.sort.ascending ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
    byId("evaluations").setAttribute("aria-rowcount", String(rows.length + 1));
    byId("table-printed").textContent = rows.length > PRINTED_ROWS
      ? `The first ${PRINTED_ROWS} of them are printed, and ${(rows.length - PRINTED_ROWS).toLocaleString("en")} more are not.` : "";
    byId("table-note").textContent = table.length === 0 ? "No evaluation has ended yet."
      : `${plural(rows.length, "evaluation")}${isNarrowed() ? ` of ${table.length.toLocaleString("en")}` : ""}. ` +
        "A click on a row, or Enter, picks it in all charts.";
    this.draw(true);
  }

  /** Show what is printed, the first rows, or what is in sight on a screen. */
  setPrinted(printed) {
    if (printed === this.printed) return;
    this.printed = printed;
    this.draw(true);
  }

  /** Make elements of the rows in sight. */
  draw(always = false) {
    if (this.printed) {
      const rows = this.rows.slice(0, PRINTED_ROWS).map((_, i) => this.rowElement(i));
      this.body.replaceChildren(...rows);
      this.range = [-1, -1];
      return;
    }
    const top = Math.max(0, this.scroll.scrollTop - this.head.offsetHeight);
    const first = Math.max(0, Math.floor(top / ROW_HEIGHT) - MARGIN_ROWS);
    const number = Math.ceil(this.scroll.clientHeight / ROW_HEIGHT) + 2 * MARGIN_ROWS;
    const last = Math.min(this.rows.length, first + number);
    if (!always && this.range[0] === first && this.range[1] === last) return;
    this.range = [first, last];
    const made = [];
    for (let i = first; i < last; i++) made.push(this.rowElement(i));
    this.body.replaceChildren(
      this.space(first * ROW_HEIGHT), ...made, this.space((this.rows.length - last) * ROW_HEIGHT));
  }

  space(height) {
    const cell = element("td", {colspan: String(table.shownColumns.length)});
    cell.style.height = `${height}px`;
    const row = element("tr", {class: "space", "aria-hidden": "true"}, cell);
    row.hidden = height === 0;
    return row;
  }

  rowElement(i) {
    const row = this.rows[i];
    const cells = table.shownColumns.map((column) => {
      const text = shown(table.text(column, row));
      const cell = element("td", {class: column.type === "number" ? "number" : "", text});
      if (column.role === "status") cell.className = `status ${text}`;
      if (text.length > 24) cell.title = text;
      return cell;
    });
    const made = element("tr", {"data-row": row, "aria-rowindex": i + 2}, ...cells);
    if (i === this.active) made.classList.add("active");
    if (row === view.picked) {
      made.classList.add("picked");
      made.setAttribute("aria-current", "true");
    }
    return made;
  }

  onKey(event) {
    if (event.target !== this.scroll) return;
    const page = Math.max(1, Math.floor(this.scroll.clientHeight / ROW_HEIGHT) - 2);
    const steps = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity};
    if (event.key in steps && this.rows.length) {
      event.preventDefault();
      this.active = Math.min(this.rows.length - 1, Math.max(0, this.active + steps[event.key]));
      this.bringToSight(this.active);
      this.draw(true);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (this.rows.length) pick(this.rows[this.active]);
    }
  }

  bringToSight(i) {
    const top = i * ROW_HEIGHT;
    const room = this.scroll.clientHeight - this.head.offsetHeight;
    if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
    if (top + ROW_HEIGHT > this.scroll.scrollTop + room) this.scroll.scrollTop = top + ROW_HEIGHT - room;
  }

  /** Bring a row that was picked elsewhere into sight, in the table alone. */
  showPicked() {
    const i = this.rows.indexOf(view.picked);
    if (i < 0) return;
    this.active = i;
    this.bringToSight(i);
  }
}

/** Sort rows by a column; those without a value come last. */
function sortRows(rows, column, ascending) {
  const sign = ascending ? 1 : -1;
  const values = column.values;
  let key = (row) => values[row];
  if (column.type === "text") {
    const compare = new Intl.Collator("en", {numeric: true}).compare;
    const order = column.texts.map((_, i) => i).sort((a, b) => compare(column.texts[a], column.texts[b]));
    const ranks = new Map(order.map((code, rank) => [code, rank]));
    key = (row) => ranks.get(values[row]);
  }
  rows.sort((a, b) => {
    const [none, other] = [table.isMissing(column, a), table.isMissing(column, b)];
    if (none || other) return none - other || a - b;
    const [x, y] = [key(a), key(b)];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y) || a - b;
    return sign * (x < y ? -1 : x > y ? 1 : 0) || a - b;
  });
}

/** Save the rows of the table, as they are sorted, with all their digits. */
function downloadRows(rows) {
  const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [table.shownColumns.map((column) => cell(column.title)).join(",")];
  for (const row of rows) {
    lines.push(table.shownColumns.map((column) => cell(table.text(column, row, true))).join(","));
  }
  const address = URL.createObjectURL(new Blob([lines.join("\r\n"), "\r\n"], {type: "text/csv"}));
  const link = element("a", {href: address, download: `${report.name}-chosen.csv`});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
