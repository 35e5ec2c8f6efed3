// Draws the page's pictures in its theme and width, and serves its buttons. No network, no state
// but the theme.
"use strict";
(() => {
  const root = document.documentElement;
  const NARROW = 560, PRINT = 680, SAVED = 1100, GAP = 3, MARK = 7;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const quiet = { displayModeBar: false, showTips: false, typesetMath: false };
  const figures = [...document.querySelectorAll("figure")].map((figure) => ({
    figure,
    plot: figure.querySelector(".plot"),
    spec: JSON.parse(figure.querySelector("script").textContent),
    hidden: new Set(),
    width: 0,
  }));

  // -- Theme ---------------------------------------------------------------------------------------

  function chosen() {
    try { return localStorage.getItem("telex-theme"); } catch { return null; }
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    const toggle = document.getElementById("theme");
    toggle.setAttribute("aria-pressed", String(theme === "dark"));
    toggle.textContent = theme === "dark" ? "Light" : "Dark";
    toggle.setAttribute("aria-label", theme === "dark" ? "Light theme" : "Dark theme");
  }

  function systemTheme() { return dark.matches ? "dark" : "light"; }

  // "@m0" and "@m0/45" (45 % opaque) become the theme's colours.
  function colours() {
    const style = getComputedStyle(root), known = new Map();
    return (name) => {
      if (!known.has(name)) {
        const [key, share] = name.slice(1).split("/");
        const hex = key === "none" ? "#000000" : style.getPropertyValue("--" + key).trim();
        const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
        const alpha = key === "none" ? 0 : share ? share / 100 : 1;
        known.set(name, alpha === 1 ? hex : `rgba(${r},${g},${b},${alpha})`);
      }
      return known.get(name);
    };
  }

  function themed(value, colour) {
    if (typeof value === "string") return /^@[a-z0-9]+(\/\d+)?$/.test(value) ? colour(value) : value;
    if (Array.isArray(value)) return value.map((part) => themed(part, colour));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, themed(v, colour)]));
  }

  function merged(below, above) {
    const result = { ...below };
    for (const [key, value] of Object.entries(above)) {
      const plain = value !== null && typeof value === "object" && !Array.isArray(value);
      result[key] = plain ? merged(below[key] ?? {}, value) : value;
    }
    return result;
  }

  // -- Drawing -------------------------------------------------------------------------------------

  async function draw(item, host, width, more = {}) {
    const { spec, hidden } = item, colour = colours();
    const base = width < NARROW ? merged(spec.layout, spec.narrow) : spec.layout;
    const layout = themed(merged(merged(base, { width }), more), colour);
    layout.font.family = getComputedStyle(document.body).fontFamily;
    const traces = themed(spec.traces, colour);
    for (const trace of traces) trace.visible = !hidden.has(trace.meta);
    await Plotly.react(host, traces, layout, quiet);
    await placeLabels(host, spec.traces);
  }

  async function drawOnPage(item, width) {
    item.width = width;
    await draw(item, item.plot, width);
    item.figure.dataset.drawn = "true";
  }

  // Puts each point's label where it meets no other label and no mark; one with no room is left out
  // (the hover text and the table name the point).
  async function placeLabels(host, specs) {
    const full = host._fullLayout, taken = new Map();
    const pen = document.createElement("canvas").getContext("2d");
    const labelled = [...specs.keys()].filter((at) => specs[at].mode === "markers+text").reverse();
    const centre = (at) => {
      const x = full[axisName("xaxis", specs[at].xaxis)], y = full[axisName("yaxis", specs[at].yaxis)];
      return specs[at].x.map((value, i) => [x.d2p(value), y.d2p(specs[at].y[i])]);
    };
    for (const at of labelled) {
      const boxes = taken.get(specs[at].xaxis) ?? [];
      taken.set(specs[at].xaxis, boxes);
      boxes.push(...centre(at).map(([x, y]) => [x - MARK, y - MARK, x + MARK, y + MARK]));
    }
    for (const at of labelled) {
      const spec = specs[at], boxes = taken.get(spec.xaxis), size = spec.textfont.size;
      const wide = full[axisName("xaxis", spec.xaxis)]._length;
      const high = full[axisName("yaxis", spec.yaxis)]._length;
      pen.font = `${spec.text[0]?.startsWith("<b>") ? "bold " : ""}${size}px ${full.font.family}`;
      const text = [], textposition = [];
      centre(at).forEach(([x, y], i) => {
        const width = pen.measureText(spec.text[i].replace(/<[^>]+>/g, "")).width;
        const place = PLACES.find(([, across, up]) => {
          const left = x + across * (MARK + 2) - (across < 0 ? width : across > 0 ? 0 : width / 2);
          const top = y - up * (MARK + 3) - (up > 0 ? size : up < 0 ? 0 : size / 2);
          const box = [left - GAP, top - GAP, left + width + GAP, top + size + GAP];
          const outside = box[0] < -4 || box[2] > wide + 4 || box[1] < -4 || box[3] > high + 4;
          const own = ([a, b, c, d]) => x - MARK === a && y - MARK === b && c && d;
          if (outside || boxes.some((b) => !own(b) && meet(box, b))) return false;
          boxes.push(box);
          return true;
        });
        text.push(place ? spec.text[i] : "");
        textposition.push(place ? place[0] : "top center");
      });
      await Plotly.restyle(host, { text: [text], textposition: [textposition] }, [at]);
    }
  }

  const PLACES = [
    ["top center", 0, 1], ["bottom center", 0, -1], ["middle right", 1, 0], ["middle left", -1, 0],
    ["top right", 1, 1], ["top left", -1, 1], ["bottom right", 1, -1], ["bottom left", -1, -1],
  ];

  function axisName(name, id) { return name + (id ?? "").slice(1); }

  function meet(a, b) { return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]; }

  async function drawAll(width) {
    for (const item of figures) {
      await drawOnPage(item, width ?? item.plot.clientWidth);
      paintLegend(item.figure);
    }
    root.dataset.drawn = "true";
  }

  function paintLegend(figure) {
    for (const swatch of figure.querySelectorAll(".swatch")) {
      swatch.style.setProperty("--swatch", `var(--${swatch.dataset.colour})`);
    }
  }

  // -- Buttons -------------------------------------------------------------------------------------

  async function save(item, format) {
    const host = document.createElement("div");
    host.style.cssText = "position:absolute;left:-9999px;top:0";
    document.body.append(host);
    const height = item.spec.layout.height + 130;
    const more = {
      height, paper_bgcolor: "@paper", showlegend: item.figure.querySelector(".legend") !== null,
      title: {
        text: item.spec.title, font: { size: 18 }, x: 0, xref: "container", xanchor: "left",
        y: 1, yref: "container", yanchor: "top", pad: { t: 20, l: 24 },
      },
      legend: { orientation: "h", yref: "container", y: 0.01, yanchor: "bottom", font: { size: 12 } },
      margin: { ...item.spec.layout.margin, l: 24, r: 24, t: 84, b: 60 },
    };
    await draw(item, host, SAVED, more);
    await Plotly.downloadImage(host, { format, width: SAVED, height, scale: 2, filename: item.figure.id });
    host.remove();
  }

  function toggleKey(item, button) {
    const shown = button.getAttribute("aria-pressed") === "true";
    button.setAttribute("aria-pressed", String(!shown));
    item.hidden[shown ? "add" : "delete"](button.dataset.key);
    drawOnPage(item, item.width);
  }

  for (const item of figures) {
    item.figure.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.save) save(item, button.dataset.save);
      if (button?.dataset.key) toggleKey(item, button);
    });
  }

  document.getElementById("theme").addEventListener("click", () => {
    const theme = root.dataset.theme === "dark" ? "light" : "dark";
    setTheme(theme);
    try { localStorage.setItem("telex-theme", theme); } catch { /* not kept, then */ }
    drawAll();
  });
  dark.addEventListener("change", () => {
    if (chosen()) return;
    setTheme(systemTheme());
    drawAll();
  });

  // -- Definitions beside their words ----------------------------------------------------------------

  const tip = document.getElementById("tip");
  function define(link) {
    const entry = document.getElementById(link.hash.slice(1));
    if (!entry) return;
    tip.textContent = entry.querySelector("dd").textContent;
    tip.hidden = false;
    link.setAttribute("aria-describedby", "tip");
    const box = link.getBoundingClientRect();
    const left = Math.min(box.left, root.clientWidth - tip.offsetWidth - 16);
    tip.style.left = `${Math.max(16, left) + scrollX}px`;
    tip.style.top = `${box.bottom + scrollY + 6}px`;
  }
  function undefine() { tip.hidden = true; }
  for (const link of document.querySelectorAll(".term")) {
    for (const event of ["mouseenter", "focus"]) link.addEventListener(event, () => define(link));
    for (const event of ["mouseleave", "blur"]) link.addEventListener(event, undefine);
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") undefine(); });

  // -- Width, print, place ---------------------------------------------------------------------------

  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (figures.some((item) => item.plot.clientWidth !== item.width)) drawAll();
    }, 120);
  });

  let before = null;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    const runs = document.querySelector(".runs") !== null;
    for (const item of figures) {
      // Drawn afresh, as flow diagrams would still be moving when the paper is filled.
      Plotly.purge(item.plot);
      drawOnPage(item, runs && item.figure.closest(".runs") ? PRINT / 2 - 16 : PRINT);
    }
  });
  addEventListener("afterprint", () => {
    setTheme(before ?? systemTheme());
    drawAll();
  });

  const links = new Map(
    [...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]),
  );
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-10% 0px -80% 0px" });
  for (const section of document.querySelectorAll("section")) seen.observe(section);

  setTheme(chosen() ?? systemTheme());
  drawAll();
})();
