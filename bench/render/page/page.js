// The script of the report's page: leaderboard and cells. It reads the JSON of #data:
// models, datasets: [{id, name, ...}]; metrics: [{id, name, higher}]; protocols: [{id, name, models, ranked}], where
// ranked is false for results that fail the check;
// values["protocol|metric|average"]: {v: [[model][dataset]], lo, hi (same shape, optional), all: [[lo, hi] per model]};
// cells["dataset/model"]: {pr, history, images, record, scores}; chosen: {metric, average};
// crack: dataset id -> which classes count as crack, for datasets of several classes;
// batch: images per evaluation batch, empty if not recorded;
// addresses: path of an image -> data URI, for embedded images.
"use strict";
const D = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const make = (tag, props = {}, ...inside) => { const e = Object.assign(document.createElement(tag), props); e.append(...inside); return e; };
const fixed = (v, digits = 4) => v == null ? "" : v.toFixed(digits);
const count = millions => millions == null ? "" : millions >= 1 ? `${fixed(millions, 2)} M` : `${fixed(1000 * millions, 1)} k`;
const state = { sort: "rank", up: true, metric: D.chosen.metric, average: D.chosen.average };

// Theme: follows the system until the reader chooses
const dark = () => document.documentElement.dataset.theme === "dark";
function theme(on) {
  document.documentElement.dataset.theme = on ? "dark" : "light";
  $("theme").textContent = on ? "Light" : "Dark";
  $("theme").setAttribute("aria-pressed", on);
  if ($("cell").open) show(state.cell);
}
const system = matchMedia("(prefers-color-scheme: dark)");
system.addEventListener("change", e => theme(e.matches));
$("theme").addEventListener("click", () => theme(!dark()));
theme(system.matches);

// Filters
const fill = (select, options, chosen) => {
  select.replaceChildren(...options.map(o => make("option", { value: o.id, textContent: o.name, selected: o.id === chosen })));
};
const metric = () => D.metrics.find(m => m.id === $("metric").value);
const protocol = () => D.protocols.find(p => p.id === $("protocol").value);
const words = { pooled: "pooled", image_mean: "mean of images", batch_mean: `mean of batches${D.batch && ` of ${D.batch}`}`, printed: "as printed" };
const averagesOf = m => Object.keys(words).filter(a => D.values[`${protocol().id}|${m}|${a}`]);
// Options that the protocol has; selected is the reader's choice, else the report's default, else the first
function offer(id, options) {
  const chosen = [state[id], D.chosen[id]].find(c => options.some(o => o.id === c)) ?? options[0]?.id;
  fill($(id), options, chosen);
}
function choices() {
  offer("metric", D.metrics.filter(m => averagesOf(m.id).length));
  offer("average", averagesOf($("metric").value).map(a => ({ id: a, name: words[a] })));
}
// Ranks within a dataset, ties get the mean rank; null for a missing value
function ranks(values, higher) {
  return values.map(v => v == null ? null :
    values.filter(o => o != null && (higher ? o > v : o < v)).length +
    (values.filter(o => o === v).length + 1) / 2);
}
const mean = list => list.length && list.every(v => v != null) ? list.reduce((a, b) => a + b, 0) / list.length : null;

function rows() {
  const table = D.values[`${protocol().id}|${metric().id}|${$("average").value}`];
  if (!table) return { rows: [], shown: [] };
  const scored = D.datasets.map((d, i) => i).filter(i => table.v.some(row => row[i] != null));
  const chosen = $("dataset").value ? [D.datasets.findIndex(d => d.id === $("dataset").value)] : scored;
  const models = D.models.map((m, i) => i).filter(i => protocol().models.includes(D.models[i].id));
  const complete = protocol().ranked ? models.filter(m => chosen.every(d => table.v[m][d] != null)) : [];
  const byDataset = chosen.map(d => ranks(complete.map(m => table.v[m][d]), metric().higher));
  const list = models.map(m => {
    const place = complete.indexOf(m);
    const scores = chosen.map(d => table.v[m][d]);
    const [lo, hi] = chosen.length === 1 ? [table.lo?.[m][chosen[0]], table.hi?.[m][chosen[0]]] :
      (table.all?.[m] && chosen.length === scored.length ? table.all[m] : [null, null]);
    return { ...D.models[m], scores, lo, hi, score: mean(scores), rank: place < 0 ? null : mean(byDataset.map(r => r[place])) };
  });
  return { rows: list, shown: chosen };
}

function board() {
  const { rows: all, shown } = rows();
  const m = metric(), one = shown.length === 1;
  const missing = all.filter(r => r.score == null).length;
  $("caption").textContent = `${m.name} (${words[$("average").value] ?? ""}; ${m.higher ? "higher" : "lower"} is better), ` +
    (one ? D.datasets[shown[0]].name : shown.length ? `mean over ${shown.length} datasets` : "no dataset has a value") + `; protocol ${protocol().name}.` +
    shown.map(d => D.crack[D.datasets[d].id]).filter(Boolean).map(note => ` ${note}`).join("") +
    (missing ? ` ${missing} of ${all.length} models lack a value and are not ranked.` : "") +
    (all.some(r => r.drifted) ? " ≈: timed on a machine that was not steady." : "") +
    (protocol().ranked ? "" : " Not ranked: these results fail the check.");
  const columns = [
    { id: "name", name: "Model", value: r => r.name.toLowerCase() },
    { id: "rank", name: one ? "Rank" : "Mean rank", value: r => r.rank, text: r => fixed(r.rank, one ? 1 : 2) },
    { id: "score", name: one ? "Score" : "Mean", value: r => r.score },
    ...(one ? [] : shown.map((d, i) => ({ id: `d${d}`, name: D.datasets[d].name, value: r => r.scores[i], cell: [d, i] }))),
    { id: "params", name: "Params", value: r => r.params, text: r => count(r.params) },
    { id: "gmacs", name: "GMACs", value: r => r.gmacs, text: r => fixed(r.gmacs, 1) },
    { id: "latency", name: all.some(r => r.relative != null) ? "Latency ms (×\u00a0ResNet\u201118)" : "Latency ms", value: r => r.latency, text: latency },
  ];
  const reversed = state.higher !== m.higher && columns.some(c => c.id === state.sort && (c.cell || c.id === "score"));
  if (reversed || !columns.some(c => c.id === state.sort)) [state.sort, state.up] = ["rank", true];
  state.higher = m.higher;
  const by = columns.find(c => c.id === state.sort);
  const wanted = $("search").value.trim().toLowerCase();
  const sorted = all.filter(r => r.name.toLowerCase().includes(wanted)).sort((a, b) => {
    const [x, y] = [by.value(a), by.value(b)];
    if (x == null || y == null) return (x == null) - (y == null);
    return (x < y ? -1 : x > y ? 1 : 0) * (state.up ? 1 : -1) || a.name.localeCompare(b.name);
  });
  const head = make("tr", {}, ...columns.map(c => {
    const button = make("button", { type: "button", textContent: c.name });
    button.addEventListener("click", () => {
      const down = c.id === "score" || c.cell ? m.higher : false;
      [state.up, state.sort] = [state.sort === c.id ? !state.up : !down, c.id];
      board();
      $("board").querySelector(`[data-id="${c.id}"] button`).focus();
    });
    const th = make("th", { scope: "col", className: c.id === "name" ? "model" : "n" }, button);
    th.dataset.id = c.id;
    if (c === by) th.setAttribute("aria-sort", state.up ? "ascending" : "descending");
    return th;
  }));
  const best = columns.map(c => c.cell || c.id === "score" ? all.map(c.value).filter(v => v != null).sort((a, b) => m.higher ? b - a : a - b)[0] : null);
  const body = sorted.map(r => make("tr", {}, ...columns.map((c, i) => {
    if (c.id === "name") return make("th", { scope: "row", className: "model" }, swatch(r.colour), r.name);
    const td = make("td", { className: "n" });
    if (c.id === "score") td.append(...score(r, one ? shown[0] : null));
    else if (c.cell) td.append(opener(r, c.cell[0], fixed(r.scores[c.cell[1]], 3)));
    else td.append(c.text(r));
    if (best[i] != null && c.value(r) === best[i]) td.classList.add("best");
    return td;
  })));
  $("board").className = one ? "one" : "";
  $("board").replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
}
function latency(r) {
  const relative = r.relative == null ? "" : ` (${r.drifted ? "≈" : ""}${r.relative.toFixed(1)})`;
  return fixed(r.latency, 1) + relative;
}
const swatch = colour => { const s = make("span", { className: "swatch" }); s.style.background = colour; s.setAttribute("aria-hidden", "true"); return s; };
function score(r, dataset) {
  if (r.score == null) return ["incomplete"];
  const half = r.lo != null ? make("small", { textContent: ` ±${((r.hi - r.lo) / 2).toFixed(3)}` }) : "";
  const bar = make("span", { className: "bar" });
  bar.setAttribute("aria-hidden", "true");
  const fill = make("i"); fill.style.width = `${100 * Math.min(1, r.score)}%`; bar.append(fill);
  if (r.lo != null) { const b = make("b"); b.style.left = `${100 * r.lo}%`; b.style.width = `${100 * (r.hi - r.lo)}%`; bar.append(b); }
  return dataset == null ? [fixed(r.score), half, bar] : [opener(r, dataset, fixed(r.score)), half, bar];
}
function opener(r, d, text) {
  const key = `${D.datasets[d].id}/${r.id}`;
  if (!text || !D.cells[key] || protocol().id === "published") return text;
  const button = make("button", { type: "button", textContent: text });
  button.setAttribute("aria-label", `${text}: open ${r.name} on ${D.datasets[d].name}`);
  button.addEventListener("click", () => { show(key); });
  return button;
}

// A cell: curves, scores, worst and best images, provenance
function show(key) {
  state.cell = key;
  const cell = D.cells[key], [d, m] = key.split("/");
  $("cell-title").textContent = `${D.models.find(x => x.id === m).name} on ${D.datasets.find(x => x.id === d).name}`;
  const curves = make("div", { className: "pair" }, section("Precision and recall", "pr"), section("Training", "training"));
  const record = make("dl", {}, ...cell.record.flatMap(([k, v]) => [make("dt", { textContent: k }), make("dd", { textContent: v })]));
  const kinds = Object.keys(words).filter(a => cell.scores.some(s => s[a] != null));
  const scores = make("table", {}, make("thead", {}, make("tr", {}, ...["Metric", ...kinds.map(k => words[k])].map(t => make("th", { scope: "col", textContent: t })))),
    make("tbody", {}, ...cell.scores.map(s => make("tr", {}, make("th", { scope: "row", textContent: s.name }), ...kinds.map(k => make("td", { className: "n", textContent: fixed(s[k]) }))))));
  const images = cell.images.length ? make("div", { className: "images" }, ...cell.images.map(slider)) :
    make("p", { className: "hint", textContent: "No images: the report was written without the prepared datasets and predictions (prepared/ and runs/)." });
  const more = make("details", {}, make("summary", { textContent: "Every metric under every average" }), make("div", { className: "scroll" }, scores));
  if (cell.images.length > 3) images.children[cell.images.findIndex(i => i.kind === "best")].style.gridColumnStart = 1;
  $("cell-body").replaceChildren(curves, make("h3", { textContent: "Worst and best images" }), images, more,
    make("h3", { textContent: "Provenance" }), record);
  if (!$("cell").open) $("cell").showModal();
  chart("pr", prSpec(cell)); chart("training", trainingSpec(cell));
}
const section = (title, id) => make("div", {}, make("h3", { textContent: title }), make("div", { id, className: "chart", role: "img", ariaLabel: title }));
function slider(image) {
  const picture = (src, cls, alt) => make("img", { src: D.addresses[src] ?? src, className: cls, alt, loading: "lazy" });
  const truth = picture(image.truth, "mask", `True crack of ${image.item}, in blue`);
  const pred = picture(image.pred, "mask", `Predicted crack of ${image.item}, in orange`);
  const cut = make("div", { className: "cut" });
  const range = make("input", { type: "range", min: 0, max: 100, value: 50, ariaLabel: `${image.item}: left of the line the prediction, right of it the truth` });
  const move = () => { const x = range.value; pred.style.clipPath = `inset(0 ${100 - x}% 0 0)`; truth.style.clipPath = `inset(0 0 0 ${x}%)`; cut.style.left = `calc(${x}% - 1px)`; };
  range.addEventListener("input", move); move();
  return make("div", {}, make("div", { className: "slider" }, picture(image.photo, "", `Source image ${image.item}`), truth, pred, cut,
    make("span", { className: "left", textContent: "prediction" }), make("span", { className: "right", textContent: "truth" })), range,
    make("p", { textContent: `${image.kind}: ${image.item}${image.seed == null ? "" : `, seed ${image.seed}`}, crack IoU ${fixed(image.iou, 3)}` }));
}

// Charts
function chart(id, spec) {
  const ink = dark() ? "#e8eaed" : "#1c1e21", line = dark() ? "#3a4048" : "#d5d9de";
  const axis = { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line };
  const config = { background: null, axis, legend: { labelColor: ink, titleColor: ink }, view: { stroke: line }, font: "system-ui, DejaVu Sans, sans-serif" };
  return vegaEmbed($(id), { $schema: "https://vega.github.io/schema/vega-lite/v6.json", width: "container", height: 220, config, ...spec },
    { actions: false, renderer: "svg", tooltip: { theme: dark() ? "dark" : "light" } });
}
const accent = () => dark() ? "#ff9d4d" : "#D55E00", second = () => dark() ? "#7db8f5" : "#0b5cad";
const number = (field, title, extra = {}) => ({ field, type: "quantitative", title, ...extra });
function prSpec(cell) {
  const unit = { scale: { domain: [0, 1] } };
  const encoding = { x: number("r", "Recall", unit), y: number("p", "Precision", unit), order: { field: "t" },
    tooltip: [number("t", "threshold", { format: ".2f" }), number("p", "precision", { format: ".3f" }), number("r", "recall", { format: ".3f" })] };
  const values = cell.pr.map(([t, p, r]) => ({ t, p, r })), half = cell.pr.find(([t]) => t === 0.5) ?? [0.5, 1, 1];
  return { data: { values }, encoding, layer: [{ mark: { type: "line", color: accent(), point: { size: 8, color: accent() } } },
    { transform: [{ filter: "datum.t === 0.5" }], mark: { type: "point", filled: true, size: 90, color: second() } },
    { transform: [{ filter: "datum.t === 0.5" }], mark: { type: "text", align: half[2] < 0.2 ? "left" : "right", dx: half[2] < 0.2 ? 8 : -8,
      dy: half[1] < 0.15 ? -12 : 12, text: "p = 0.5", color: second() } }] };
}
function trainingSpec(cell) {
  const axis = cell.history.length < 12 ? { values: cell.history.map(([epoch]) => epoch) } : { tickMinStep: 1 };
  const values = cell.history.flatMap(([epoch, train, val]) => [{ epoch, loss: train, split: "training" }, { epoch, loss: val, split: "selection" }]);
  return { data: { values }, mark: { type: "line", point: cell.history.length < 20 }, encoding: { x: number("epoch", "Epoch", { axis: { ...axis, format: "d" } }),
    y: number("loss", "Loss", { scale: { zero: false } }),
    color: { field: "split", title: null, scale: { domain: ["selection", "training"], range: [accent(), second()] }, legend: { orient: "top" } },
    strokeDash: { field: "split", legend: null }, tooltip: [number("epoch", "epoch"), number("loss", "loss", { format: ".4f" }), { field: "split" }] } };
}

// Print with all details open
let closed = [];
addEventListener("beforeprint", () => { closed = [...document.querySelectorAll("main details:not([open])")]; closed.forEach(d => { d.open = true; }); });
addEventListener("afterprint", () => closed.forEach(d => { d.open = false; }));

// Start
if (D.metrics.length) {
  fill($("protocol"), D.protocols, D.protocols[0].id);
  fill($("dataset"), [{ id: "", name: "all" }, ...D.datasets], "");
  for (const id of ["metric", "average"]) $(id).addEventListener("change", () => { state[id] = $(id).value; });
  for (const id of ["metric", "protocol", "average", "dataset"]) $(id).addEventListener("change", () => { choices(); board(); });
  $("search").addEventListener("input", board);
  document.querySelector(".filters").addEventListener("submit", e => e.preventDefault());
  choices();
  board();
} else $("caption").textContent = "There are no training results yet.";
