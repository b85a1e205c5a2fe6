// The filter: terms such as `status=failed`, `"learning rate"<1e-3`, `relu`, all of which have to hold.

const TERM = /\s*(?:(?:"((?:[^"\\]|\\.)*)"|([^\s"<>=!~]+))\s*(<=|>=|!=|=|<|>|~)\s*)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))/y;

const COMPARE = {
  "=": (a, b) => a === b, "!=": (a, b) => a !== b, "<": (a, b) => a < b, ">": (a, b) => a > b,
  "<=": (a, b) => a <= b, ">=": (a, b) => a >= b,
};

/** Return a function of a row that tells whether it passes; throw an Error that says why not. */
function parseFilter(text) {
  const tests = [];
  TERM.lastIndex = 0;
  let rest = text.trimEnd();
  let at = 0;
  while (at < rest.length) {
    TERM.lastIndex = at;
    const match = TERM.exec(rest);
    if (!match) throw new Error(`“${shown(rest.slice(at).trim())}” can't be read; put quotes around it`);
    at = TERM.lastIndex;
    const [, quotedName, bareName, sign, quoted, bare] = match;
    const value = quoted === undefined ? bare : quoted.replace(/\\(.)/g, "$1");
    tests.push(sign === undefined
      ? anyColumn(value)
      : oneColumn(quotedName?.replace(/\\(.)/g, "$1") ?? bareName, sign, value));
  }
  return (row) => tests.every((test) => test(row));
}

/** Return a test of whether the text of any column has a part. */
function anyColumn(part) {
  const wanted = part.toLowerCase();
  const matches = table.shownColumns.filter((column) => column.type === "text").map((column) => {
    const fits = column.texts.map((text) => text.toLowerCase().includes(wanted));
    return (row) => column.values[row] >= 0 && fits[column.values[row]];
  });
  const id = table.column("id");
  return (row) => matches.some((test) => test(row)) ||
    (id !== undefined && table.text(id, row, true) === part);
}

function oneColumn(name, sign, value) {
  const column = columnNamed(name);
  if (value.toLowerCase() === "none" && !(column.texts ?? []).includes("none")) {
    if (sign === "=") return (row) => table.isMissing(column, row);
    if (sign === "!=") return (row) => !table.isMissing(column, row);
  }
  if (sign === "~") {
    const part = value.toLowerCase();
    return (row) => table.text(column, row, true).toLowerCase().includes(part);
  }
  const compare = COMPARE[sign];
  if (column.type === "number") {
    const number = Number(value);
    if (value.trim() === "" || Number.isNaN(number)) {
      throw new Error(`“${shown(name)}” is a number, and “${shown(value)}” isn't`);
    }
    return (row) => !table.isMissing(column, row) && compare(column.values[row], number);
  }
  const fits = column.texts.map((text) => {
    const [a, b] = [Number(text), Number(value)];
    const plain = plainText(text);
    if (sign === "=" || sign === "!=") return compare(plain, value) || (sign === "=" && text === value);
    return text !== "" && compare(a, b);
  });
  return (row) => column.values[row] >= 0 && fits[column.values[row]];
}

function columnNamed(name) {
  const columns = table.shownColumns;
  const lower = name.toLowerCase();
  const found = columns.find((column) => column.title === name) ??
    columns.find((column) => column.title.toLowerCase() === lower);
  if (found) return found;
  const known = shorten(columns.map((column) => shown(column.title)).join(", "), 200);
  throw new Error(`there is no column “${shown(name)}”; there are ${known}`);
}
