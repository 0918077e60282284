// Tables sort by a click on a heading; printing opens everything. The report reads as well without this.
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const key = row => {
      const cell = row.cells[column], text = cell.textContent.trim();
      const value = parseFloat(cell.dataset.v ?? text.replace(/,/g, ""));
      return text === "–" ? [2, 0, ""] : isNaN(value) ? [1, 0, text] : [0, value, text];
    };
    button.onclick = () => {
      const down = head.ariaSort === "ascending";
      for (const other of heads) other.ariaSort = null;
      head.ariaSort = down ? "descending" : "ascending";
      const rows = [...body.rows].map(row => [key(row), row]);
      rows.sort(([[k, v, t]], [[l, w, u]]) => k === 2 || l === 2 ? k - l : (down ? -1 : 1) * (k - l || v - w || t.localeCompare(u)));
      body.append(...rows.map(([, row]) => row));
    };
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => d.open = true));
