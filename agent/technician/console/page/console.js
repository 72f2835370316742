"use strict";
/* Whatever comes from the kiosk is set as text, never as markup; CSP forbids the rest. */
(() => {
  const EVERY_MS = 1000;
  const KEY = "gate-console-session";
  const $ = (id) => document.getElementById(id);
  let session = sessionStorage.getItem(KEY);
  let language = sessionStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
  const shown = new Map();
  let last = null;
  let did = null;

  const word = (key) => WORDS[language][key] || WORDS.en[key] || key;
  const spoken = (text) => (language === "zh" && DOCTOR_ZH[text]) || text;
  const has = (key) => key in WORDS[language] || key in WORDS.en;
  const plain = (key, text) => (has(key) ? word(key) : String(text ?? "").replaceAll("_", " "));

  function make(tag, told, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(told || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "text") made.textContent = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children.filter((one) => one !== null));
    return made;
  }

  /* Draw a part of the page again only where what it shows has changed: focus and open details stay. */
  function draw(id, value, build) {
    const now = language + JSON.stringify(value);
    if (shown.get(id) === now) return;
    shown.set(id, now);
    $(id).replaceChildren(...build(value));
  }

  class Refused extends Error {}
  class Ended extends Error {}
  class Lost extends Error {}

  async function ask(path, body) {
    const told = { headers: {}, cache: "no-store", credentials: "omit", redirect: "error" };
    if (session) told.headers.Authorization = `Bearer ${session}`;
    if (body !== undefined) {
      told.method = "POST";
      told.headers["Content-Type"] = "application/json";
      told.body = JSON.stringify(body);
    }
    let answer;
    try {
      answer = await fetch(path, told);
    } catch {
      throw new Lost(word("lost"));
    }
    const found = answer.headers.get("content-type") === "application/json" ? await answer.json() : await answer.blob();
    if (answer.status === 401) throw new Ended(found.error);
    if (!answer.ok) throw new Refused([found.error, found.fix && word("fix") + found.fix].filter(Boolean).join(" — "));
    return found;
  }

  function speak() {
    document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
    for (const one of document.querySelectorAll("[data-word]")) one.textContent = word(one.dataset.word);
    document.title = word("title");
    $("language").textContent = language === "zh" ? "English" : "中文";
    $("language").lang = language === "zh" ? "en" : "zh";
    if (last) show(last);
    if (checks) showChecks(checks);
    if (configNow) showConfig(configNow);
    sayDone();
    $("picture").alt = word("look");
  }

  /* Whoever comes to this tab next finds nothing of what was shown. */
  function forget() {
    last = checks = configNow = did = null;
    shown.clear();
    for (const id of ["doors", "facts", "parts", "sights", "decisions", "point", "camera", "config-faults", "config-shown", "text-faults"]) $(id).replaceChildren();
    for (const id of ["journal", "looked", "examined", "done", "config-said", "text-said"]) $(id).textContent = "";
    $("checks").tBodies[0].replaceChildren();
    $("text").value = $("reason").value = $("token").value = "";
  }

  function outside(said) {
    session = null;
    forget();
    sessionStorage.removeItem(KEY);
    setWatching(false);
    picture(null);
    walking(null);
    $("inside").hidden = $("leave").hidden = true;
    $("enter").hidden = false;
    $("enter-said").textContent = said || "";
    $("stand").textContent = "";
    $("token").focus();
  }

  async function enter(token) {
    try {
      session = (await ask("/api/enter", { token })).session;
    } catch (error) {
      outside(error.message);
      return;
    }
    sessionStorage.setItem(KEY, session);
    inside();
  }

  function inside() {
    $("enter").hidden = true;
    $("inside").hidden = $("leave").hidden = false;
    $("main").focus();
    round().then(watch);
    doctor();
    config();
  }

  async function guarded(work, say) {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof Ended) outside(error.message);
      else if (error instanceof Refused || error instanceof Lost) say(error.message);
      else throw error;
      return false;
    }
  }

  function stand(text, kind) {
    const line = $("stand");
    if (line.textContent !== text) line.textContent = text;
    line.className = kind;
  }

  let turning = false;
  async function round() {
    if (!session || turning || document.hidden) return;
    turning = true;
    try {
      await guarded(async () => show(await ask("/api/state")), (said) => stand(said, "bad"));
    } finally {
      turning = false;
    }
  }

  function show(found) {
    last = found;
    const status = found.status;
    const wrong = (found.parts || []).filter((one) => !one.well).length;
    if (!found.agent.answers) {
      stand(found.config === "wrong" && !found.agent.why ? word("configWrong") : [word("no_agent"), found.agent.why, found.agent.fix].filter(Boolean).join(": "), "bad");
    } else {
      stand(`${word("in_service")}, ${wrong ? `${wrong} ${word(wrong === 1 ? "fault" : "faults")}` : word("well")}`, wrong ? "bad" : "good");
    }
    walking(status && status.walk_test);
    draw("doors", status, (now) => (now ? Object.keys(now.access_points).map((point) => door(now, point)) : []));
    draw("facts", status && { ...status, time: status.time.slice(0, 16) }, (now) => (now ? facts(now) : []));
    $("deeds").hidden = !status;
    draw("point", status ? Object.keys(status.access_points) : [], (points) => points.map((point) => make("option", { value: point, text: point })));
    draw("parts", found.parts || [], (parts) => parts.map(part));
    $("journal").hidden = !found.journal;
    $("journal").textContent = found.journal || "";
    draw("decisions", found.decisions || [], decisions);
  }

  function walking(test) {
    const line = $("walking");
    const said = test ? `${word("walk_on")} ${test.access_points.join(", ")}, ${word("walk_until")} ${test.until.slice(11, 16)} UTC (${test.by}). ${word("walk_shut")}` : "";
    if (line.textContent !== said) line.textContent = said;
    line.hidden = !test;
    const held = [$("walk-begin"), $("walk-end")].includes(document.activeElement);
    $("walk-begin").hidden = Boolean(test);
    $("walk-end").hidden = !test;
    if (held) $(test ? "walk-end" : "walk-begin").focus();
  }

  function door(status, point) {
    const state = status.access_points[point];
    const mode = status.modes[point];
    const bad = ["forced", "held_open", "fault"].includes(state);
    const cause = status.causes[point];
    return make("div", { class: "card" },
      make("b", { text: point }),
      make("span", { class: bad ? "bad" : "good", text: plain(`s_${state}`, state) }),
      status.walk_test && status.walk_test.access_points.includes(point) ? make("div", { class: "doubt", text: word("walk") }) : null,
      make("div", { class: mode === "normal" ? "quiet" : "doubt", text: plain(`m_${mode}`, mode) + (cause ? ` (${cause})` : "") }));
  }

  function facts(status) {
    const pad = Object.entries(status.pad.packs).map(([name, version]) => `${name} ${version}`).join(", ");
    const limit = status.threshold;
    const rows = [
      ["f_broker", plain(`b_${status.broker}`, status.broker) + (status.broker_why ? `: ${status.broker_why}` : "")],
      ["f_unpublished", String(status.unpublished)],
      ["f_holders", String(status.holders)],
      ["f_references", String(status.references)],
      ["f_threshold", `${limit.score}` + (limit.extrapolated ? ` (${word("extrapolated")})` : "")],
      ["f_pack", `${status.pack} ${status.pack_version}`],
      ["f_pad", pad || word(status.face_without_pad ? "photo" : "no_pad")],
      ["f_time", moment(status.time) + (status.clock_synced ? "" : ` (${word("not_sure")})`)],
      ["f_started", moment(status.started)],
      ["f_version", status.version],
    ];
    return rows.flatMap(([key, value]) => [make("dt", { text: word(key) }), make("dd", { text: value })]);
  }

  const moment = (text) => `${text.slice(0, 16).replace("T", " ")} UTC`;

  function part(one) {
    return make("li", {},
      make("span", { text: `${one.part}: ` }),
      make("span", { class: one.well ? "good" : "bad", text: one.well ? word("well") : one.said }),
      one.fix ? make("span", { class: "fix", text: word("fix") + one.fix }) : null);
  }

  function decisions(rows) {
    if (!rows.length) return [make("li", { class: "quiet", text: word("none") })];
    const open = new Set([...$("decisions").querySelectorAll("details[open]")].map((one) => one.dataset.row));
    return rows.map((one) => {
      const { score, threshold } = one.trace;
      const test = one.walk_test ? `${word("walk")}, ` : "";
      const said = test + (one.granted ? word("granted") : `${word("denied")}: ${plain(`r_${one.reason}`, one.why)}`);
      const number = typeof score === "number" ? ` ${score.toFixed(3)}` + (typeof threshold === "number" ? `/${threshold.toFixed(3)}` : "") : "";
      return make("li", {}, make("details", { "data-row": one.row, open: open.has(String(one.row)) },
        make("summary", {},
          make("span", { text: `${one.time}${one.sure ? "" : ` (${word("unsure")})`} ${one.access_point ?? ""} ` }),
          make("b", { class: one.granted ? "good" : "bad", text: said }),
          make("span", { class: "score", text: `${number}${one.who ? ` ${one.who}` : ""}` })),
        make("dl", {}, ...Object.entries(one.trace).flatMap(([name, value]) => [
          make("dt", { text: plain(`t_${name}`, name) }), make("dd", { text: flat(value) })]))));
    });
  }

  function flat(value) {
    if (value === null || value === undefined) return "–";
    if (Array.isArray(value)) return value.map(flat).join(", ") || "–";
    if (typeof value === "object") return Object.entries(value).map(([name, one]) => `${name} ${flat(one)}`).join(", ") || "–";
    return typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(4))) : String(value);
  }

  const SVG = "http://www.w3.org/2000/svg";
  let watching = false;
  let watchTimer = 0;
  let pictureUrl = null;

  function shape(tag, kind, told) {
    const made = document.createElementNS(SVG, tag);
    made.setAttribute("class", kind);
    for (const [name, value] of Object.entries(told)) made.setAttribute(name, String(value));
    return made;
  }
  const frame = (kind, box) => shape("rect", kind, box);

  function outlines(sight) {
    const { width, height, zone, thermometer_spot: spot, codes, face } = sight;
    const found = [frame("zone", { x: zone.x * width, y: zone.y * height, width: zone.width * width, height: zone.height * height })];
    if (spot) {
      const [w, h] = [(spot.right - spot.left) * width, (spot.bottom - spot.top) * height];
      const [x, y] = [spot.left * width, spot.top * height];
      found.push(spot.round ? shape("ellipse", "spot", { cx: x + w / 2, cy: y + h / 2, rx: w / 2, ry: h / 2 }) : frame("spot", { x, y, width: w, height: h }));
    }
    found.push(...codes.read.map((box) => frame("code", box)), ...codes.unread.map((box) => frame("unread", box)));
    if (face) found.push(frame("face", face.box));
    return found;
  }

  function sights(now) {
    const rows = [];
    const sight = now.camera;
    if (sight) {
      const face = sight.face;
      rows.push(["v_face", face ? `${face.size_px} ${word("v_size")} (${word("v_least")} ${sight.zone.min_face_px})` : word("v_none")]);
      if (sight.hindrance) rows.push(["v_hindrance", plain(`h_${sight.hindrance}`, sight.hindrance)]);
      if (face) {
        if (face.quality) rows.push(["v_quality", `${word("v_sharpness")} ${face.quality.sharpness}, ${word("v_contrast")} ${face.quality.contrast}`]);
        rows.push(["v_score", face.score === null ? word("v_uncompared") : `${face.score.toFixed(3)} / ${face.threshold.toFixed(3)}`]);
        if (face.pad_score !== null) rows.push(["v_pad", String(face.pad_score)]);
      }
    }
    const heat = now.thermometer;
    if (heat) {
      const around = heat.ambient_c === null ? "" : `, ${word("v_ambient")} ${heat.ambient_c} °C`;
      rows.push(["v_thermometer", `${heat.temperature_c} °C${around}, ${heat.age_s} ${word("v_ago")}`]);
    }
    const inputs = Object.entries(now.inputs);
    if (inputs.length) rows.push(["v_inputs", inputs.map(([name, active]) => `${name}: ${word(active ? "v_active" : "v_rests")}`).join(", ")]);
    return rows.flatMap(([key, value]) => [make("dt", { text: word(key) }), make("dd", { text: value })]);
  }

  function picture(sight) {
    $("view").hidden = $("legend").hidden = !sight;
    const before = pictureUrl;
    pictureUrl = sight && URL.createObjectURL(new Blob([Uint8Array.from(atob(sight.jpeg), (one) => one.charCodeAt(0))], { type: "image/jpeg" }));
    if (sight) {
      $("picture").src = pictureUrl;
      $("outlines").setAttribute("viewBox", `0 0 ${sight.width} ${sight.height}`);
      $("outlines").replaceChildren(...outlines(sight));
    } else {
      $("picture").removeAttribute("src");
    }
    if (before) URL.revokeObjectURL(before);
  }

  async function look() {
    if (!session || document.hidden || !last || !last.agent.answers) {
      picture(null);
      return;
    }
    const camera = $("camera").value;
    await guarded(async () => {
      const now = await ask(watching && camera ? `/api/look?camera=${encodeURIComponent(camera)}` : "/api/look");
      if (!session) return;
      draw("camera", now.cameras, (names) => names.map((name) => make("option", { value: name, text: name })));
      const sight = watching ? now.camera || null : null;
      picture(sight);
      $("looked").textContent = watching ? word(sight ? "live" : "nothing") : "";
      draw("sights", { ...now, camera: sight && { ...sight, jpeg: null } }, sights);
    }, (said) => { picture(null); $("looked").textContent = said; });
  }

  async function watch() {
    clearTimeout(watchTimer);
    await look();
    clearTimeout(watchTimer);
    if (session) watchTimer = setTimeout(watch, watching ? 300 : 2000);
  }

  function setWatching(on) {
    watching = on;
    const button = $("watch");
    button.setAttribute("aria-pressed", String(on));
    button.dataset.word = on ? "unwatch" : "watch";
    button.textContent = word(button.dataset.word);
  }

  let configNow = null;

  function findings(found) {
    const rows = (list, kind) => list.map((one) => make("li", {},
      make("span", { class: kind, text: `${one.line ? `${word("line")} ${one.line}: ` : ""}${one.key ? `${one.key}: ` : ""}${one.message}` }),
      one.fix ? make("span", { class: "fix", text: word("fix") + one.fix }) : null));
    return [...rows(found.faults, "bad"), ...rows(found.warnings, "doubt")];
  }

  function verdict(found) {
    const counts = [[found.faults, "faults_n"], [found.warnings, "warnings_n"]].filter(([list]) => list.length);
    return [word(found.ok ? "config_right" : "config_wrong"), ...counts.map(([list, key]) => `${list.length} ${word(key)}`)].join(", ");
  }

  function tables(shown) {
    return Object.entries(shown || {}).filter(([, value]) => value !== null).flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).flatMap((one) => [
      make("h3", { text: Array.isArray(value) ? `[[${name}]]` : `[${name}]` }),
      make("dl", {}, ...Object.entries(one).flatMap(([key, what]) => [make("dt", { text: key }), make("dd", { text: flat(what) })]))]));
  }

  function showConfig(found) {
    configNow = found;
    $("config-said").textContent = `${found.file}: ${verdict(found)}`;
    $("config-said").className = found.ok ? "good" : "bad";
    draw("config-faults", found, findings);
    draw("config-shown", found.shown, tables);
  }

  async function config() {
    await guarded(async () => showConfig(await ask("/api/config")), (said) => { $("config-said").textContent = said; });
  }

  let checks = null;
  async function doctor(begin) {
    await guarded(async () => {
      checks = begin ? await ask("/api/doctor", {}) : await ask("/api/doctor");
      showChecks(checks);
      if (checks.examines) setTimeout(doctor, EVERY_MS);
    }, (said) => { $("examined").textContent = said; });
  }

  function showChecks(found) {
    const button = $("examine");
    const held = document.activeElement === button;
    button.disabled = found.examines;
    if (held && !found.examines) button.focus();
    const counts = ["fail", "warn", "pass"].map((one) => [one, found.checks.filter((check) => check.status === one).length]);
    $("examined").textContent = found.examines ? word("examines")
      : found.error || (found.checks.length ? counts.filter(([, count]) => count).map(([one, count]) => `${count} ${word(one)}`).join(", ") : "");
    const table = $("checks");
    table.hidden = !found.checks.length;
    const kinds = { pass: "good", warn: "doubt", fail: "bad" };
    table.tBodies[0].replaceChildren(...found.checks.map((one) => make("tr", {},
      make("td", { text: spoken(one.name) }),
      make("td", {}, make("b", { class: kinds[one.status], text: word(one.status) })),
      make("td", {}, make("span", { text: one.detail }),
        make("span", { class: "fix quiet", text: spoken(one.meaning) }),
        one.fix ? make("span", { class: "fix", text: word("fix") + one.fix }) : null))));
  }

  $("enter").addEventListener("submit", (event) => { event.preventDefault(); enter($("token").value.trim()); });
  $("leave").addEventListener("click", async () => { await guarded(() => ask("/api/leave", {}), () => {}); outside(""); });
  $("language").addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    sessionStorage.setItem("language", language);
    speak();
  });
  $("watch").addEventListener("click", () => { setWatching(!watching); watch(); });
  function sayDone() {
    if (did) $("done").textContent = `${did[0]}: ${word(did[1])}`;
  }
  async function deed(path, body, done) {
    const say = (said, kind) => { did = null; $("done").textContent = said; $("done").className = kind; };
    say("", "");
    if (await guarded(() => ask(path, { access_point: $("point").value, ...body }), (said) => say(said, "bad"))) {
      say("", "good");
      did = [$("point").value, done];
      sayDone();
      return true;
    }
    return false;
  }

  for (const one of document.querySelectorAll("button.try")) {
    one.addEventListener("click", () => deed("/api/try-out", { outcome: one.dataset.outcome }, "tried"));
  }
  $("walk").addEventListener("submit", async (event) => {
    event.preventDefault();
    await deed("/api/walk-test", { minutes: Number($("minutes").value) }, "walk_began");
    round();
  });
  $("walk-end").addEventListener("click", async () => {
    await deed("/api/walk-test-end", {}, "walk_ended");
    round();
  });
  $("release").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.target.querySelector("button");
    button.disabled = true;
    if (await deed("/api/release", { reason: $("reason").value }, "released")) $("reason").value = "";
    button.disabled = false;
    button.focus();
  });
  $("config-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    await guarded(async () => {
      const found = await ask("/api/config", { text: $("text").value });
      $("text-said").textContent = verdict(found);
      $("text-said").className = found.ok ? "good" : "bad";
      $("text-faults").replaceChildren(...findings(found));
    }, (said) => { $("text-said").textContent = said; $("text-said").className = "bad"; });
  });
  $("examine").addEventListener("click", () => doctor(true));
  document.addEventListener("visibilitychange", round);

  speak();
  const token = location.hash.slice(1);
  /* The word is good once: it stays neither in the address nor in the history. */
  if (token) history.replaceState(null, "", "/");
  if (token) enter(token);
  else if (session) inside();
  else outside("");
  setInterval(round, EVERY_MS);
})();
