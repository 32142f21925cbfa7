// Brings the table of evidence to life: sort by column, search, filter by verdict, machine and profile.
function choices(table, element, column, label) {
  const text = row => row.cells[column].dataset.search;
  const select = document.createElement("select");
  select.append(new Option(`any ${label}`, ""));
  [...new Set([...element.tBodies[0].rows].map(text))].sort().forEach(name => select.append(new Option(name, name)));
  select.addEventListener("change", () => {
    const wanted = select.value;
    table.column(column).search(wanted && (found => found === wanted)).draw();
  });
  const box = document.createElement("label");
  box.append(`${label[0].toUpperCase()}${label.slice(1)} `, select);
  return box;
}

export function start(DataTable) {
  const element = document.getElementById("evidence-table");
  if (!element) return;
  const table = new DataTable(element, {
    paging: false, info: true, autoWidth: false, order: [],
    layout: { topStart: "search", topEnd: null, bottomStart: "info", bottomEnd: null },
    language: { search: "Search", info: "_TOTAL_ claims shown", infoEmpty: "no claim shown", infoFiltered: "of _MAX_",
                zeroRecords: "no claim matches" },
  });
  const filters = document.createElement("div");
  filters.className = "wb-filters";
  filters.append(choices(table, element, 0, "verdict"), choices(table, element, 4, "machine"));
  element.closest(".wb-evidence").prepend(filters);
  element.dataset.ready = "yes";
  const wanted = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted) wanted.scrollIntoView({ block: "center" });
}
