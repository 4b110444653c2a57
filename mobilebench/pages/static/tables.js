// Sort and filter the tables of a page that no server answers for; without it they are plain tables.
(() => {
  const tools = document.getElementById("tools");
  if (!tools) return;
  const boards = [...document.querySelectorAll("table.board")];
  const rows = boards.flatMap((board) => [...board.tBodies[0].rows]);
  const filter = document.getElementById("words"), count = document.getElementById("count");
  const choice = document.getElementById("sort");
  const state = new URLSearchParams(location.search);

  // The address keeps what was chosen, so that it can be sent to somebody.
  const keep = () => {
    for (const [name, text] of [...state]) if (!text) state.delete(name);
    try {
      history.replaceState(null, "", `${location.pathname}${state.size ? `?${state}` : ""}${location.hash}`);
    } catch { /* a browser that forbids it for files keeps the address as it is */ }
  };

  const titles = (board) => [...board.tHead.rows[0].cells];
  const sort = (name, descending) => {
    for (const board of boards) {
      const head = titles(board).find((each) => each.dataset.name === name);
      if (!head) continue;
      for (const each of titles(board)) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const numeric = head.classList.contains("number");
      const key = (row) => row.cells[head.cellIndex].dataset.key;
      const body = board.tBodies[0];
      body.append(...[...body.rows].sort((a, b) => {
        const x = key(a), y = key(b);
        // Unknown values stay last in both directions.
        if (x === "" || y === "") return (x === "") - (y === "");
        const order = numeric ? x - y : x.localeCompare(y);
        return descending ? -order : order;
      }));
    }
    if (choice) choice.value = name;
  };
  // As in the addresses of a server: a minus before the column has the worst first.
  const choose = (wish) => {
    const name = wish.replace(/^-/, "");
    state.set("sort", wish === "#" ? "" : wish);
    keep();
    sort(name, boards.some((board) => titles(board).some((each) => each.dataset.name === name && "falling" in each.dataset)) !== wish.startsWith("-"));
  };
  for (const board of boards)
    for (const head of titles(board)) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () =>
        choose(state.get("sort") === head.dataset.name || (head.dataset.name === "#" && head.hasAttribute("aria-sort") && !state.get("sort")) ? `-${head.dataset.name}` : head.dataset.name));
    }
  choice?.addEventListener("change", () => choose(choice.value));

  const apply = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const holds = (text) => words.every((word) => text.toLowerCase().includes(word));
    let shown = 0;
    for (const row of rows) {
      const heading = row.closest(".part")?.querySelector("h2, h3")?.textContent ?? "";
      row.hidden = !holds(`${heading} ${row.textContent}`);
      shown += !row.hidden;
    }
    for (const part of document.querySelectorAll(".part"))
      part.hidden = !part.querySelector("table.board tbody tr:not([hidden])");
    for (const row of document.querySelectorAll("#reported tbody tr")) row.hidden = !holds(row.textContent);
    count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
    state.set("q", filter.value.trim());
    keep();
  };
  filter.addEventListener("input", apply);
  filter.value ||= state.get("q") ?? "";
  tools.hidden = false;
  if (state.get("sort")) choose(state.get("sort"));
  apply();
})();
