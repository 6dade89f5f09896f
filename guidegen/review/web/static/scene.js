// The 3-D view of a revision and its tools.
import { Vector3 } from "./three.min.js";
import { readLayer } from "./layers.js";
import { lineOf, Marks, Measure } from "./marks.js";
import { savePicture } from "./picture.js";
import { Stage } from "./stage.js";

const KEYS = { f: "front", b: "back", l: "lateral", m: "medial", a: "above", t: "tunnel" };
const SECTIONS = { axial: [0, 0, 1], coronal: [0, 1, 0], sagittal: [1, 0, 0] };
// From where a section is looked at, as the slices are: from the feet, from the front, from the patient's left.
const FACED = {
  axial: { toward: [0, 0, -1], up: [0, -1, 0] }, coronal: { toward: [0, -1, 0], up: [0, 0, 1] },
  sagittal: { toward: [1, 0, 0], up: [0, 0, 1] },
};

export async function openScene(views) {
  const base = views.dataset.base;
  const scene = await (await fetch(`${base}/scene`)).json();
  const stage = new Stage(document.getElementById("stage"), scene);
  stage.lookFrom(scene.first, scene.views.front.up);
  const found = await Promise.all(scene.layers.map((name) => readLayer(base, name, stage.section, scene.clearance)));
  const layers = Object.fromEntries(found.map((mesh) => [mesh.name, mesh]));
  stage.world.add(...found);
  const marks = new Marks(stage);
  const say = (words) => { document.getElementById("said").textContent = words; };
  const measure = new Measure(stage, marks, found, say);
  nameTunnels(stage, marks, scene);
  standpoints(stage, scene);
  switches(stage, layers);
  landmarks(stage, marks, scene);
  sections(stage, scene, found);
  buttons(stage, marks, measure, views, layers, say);
  scaleBar(stage);
  stage.draw();
  views.dataset.ready = "true";
}

function nameTunnels(stage, marks, scene) {
  for (const { name, entry, target } of scene.tunnels) {
    const [from, to] = [new Vector3(...entry), new Vector3(...target)];
    stage.world.add(lineOf(from, to, 0xcfe2ff));
    marks.add(name, to); // where the tunnels of a fan are furthest apart
  }
}

function standpoints(stage, scene) {
  const place = document.getElementById("standpoints");
  for (const [name, { toward, up }] of Object.entries(scene.views)) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => stage.lookFrom(toward, up));
    place.append(button);
  }
  stage.element.addEventListener("keydown", (event) => {
    const view = scene.views[KEYS[event.key.toLowerCase()]];
    if (view && !event.ctrlKey && !event.metaKey && !event.altKey) stage.lookFrom(view.toward, view.up);
  });
}

function switches(stage, layers) {
  const boxes = [...document.querySelectorAll("[data-layer]")];
  for (const box of boxes) {
    const show = () => {
      layers[box.dataset.layer].visible = box.checked;
      if (box.dataset.layer === "gap") document.getElementById("gap-legend").hidden = !box.checked;
      stage.draw();
    };
    box.addEventListener("change", show);
    show();
  }
  const [gap, guide] = ["gap", "guide"].map((name) => boxes.find((box) => box.dataset.layer === name));
  gap?.addEventListener("change", () => { if (gap.checked && guide.checked) guide.click(); }); // which lies over it
  stage.element.addEventListener("keydown", (event) => boxes[Number(event.key) - 1]?.click());
  const opacity = document.getElementById("opacity");
  const dim = () => {
    const { material } = layers.bone;
    material.opacity = Number(opacity.value);
    material.transparent = material.opacity < 1;
    material.needsUpdate = true;
    stage.draw();
  };
  opacity.addEventListener("input", dim);
  dim();
}

function landmarks(stage, marks, scene) {
  let shown = [];
  document.getElementById("landmarks").addEventListener("change", ({ target }) => {
    for (const mark of shown) marks.remove(mark);
    shown = target.checked ? scene.marks.map(({ name, place }) => marks.add(`• ${name}`, new Vector3(...place), "landmark")) : [];
    stage.draw();
  });
}

function sections(stage, scene, meshes) {
  const [which, at] = [document.getElementById("section"), document.getElementById("section-at")];
  const cut = () => {
    at.disabled = !which.value;
    const normal = new Vector3(...(which.value === "along" ? alongTunnel(scene) : SECTIONS[which.value] ?? [0, 0, 1]));
    const ends = cornersOf(scene).map((corner) => normal.dot(corner));
    const place = Math.min(...ends) + Number(at.value) * (Math.max(...ends) - Math.min(...ends));
    const toward = stage.camera.position.clone().sub(stage.controls.target).dot(normal) > 0 ? -1 : 1;
    stage.section.set(normal.clone().multiplyScalar(toward), -toward * place); // what is nearer to the viewer goes
    for (const mesh of meshes) mesh.cut(Boolean(which.value));
    stage.draw();
  };
  which.addEventListener("change", () => {
    at.value = which.value === "along" ? throughTunnel(scene) : 0.5;
    const faced = which.value === "along" ? facedTunnel(scene) : FACED[which.value];
    if (faced) stage.lookFrom(faced.toward, faced.up); // square to it: seen edge-on, a section shows nothing
    cut();
  });
  at.addEventListener("input", cut);
}

// Across the plane of tunnel and shaft, so that the section shows the tunnel at its whole length.
function alongTunnel(scene) {
  if (!scene.tunnels.length) return SECTIONS.coronal;
  const { entry, target } = scene.tunnels[0];
  const axis = new Vector3(...target).sub(new Vector3(...entry));
  return axis.cross(new Vector3(...scene.views.front.up)).normalize().toArray();
}

// That section from the front, the head up.
function facedTunnel(scene) {
  const normal = new Vector3(...alongTunnel(scene));
  const { toward, up } = scene.views.front;
  return { toward: normal.multiplyScalar(normal.dot(new Vector3(...toward)) < 0 ? -1 : 1).toArray(), up };
}

function throughTunnel(scene) {
  const normal = new Vector3(...alongTunnel(scene));
  const ends = cornersOf(scene).map((corner) => normal.dot(corner));
  const place = scene.tunnels.length ? normal.dot(new Vector3(...scene.tunnels[0].entry)) : Math.min(...ends);
  return (place - Math.min(...ends)) / (Math.max(...ends) - Math.min(...ends));
}

function cornersOf({ low, high }) {
  const corners = [];
  for (const x of [low[0], high[0]]) for (const y of [low[1], high[1]]) for (const z of [low[2], high[2]]) corners.push(new Vector3(x, y, z));
  return corners;
}

function buttons(stage, marks, measure, views, layers, say) {
  const button = document.getElementById("measure");
  button.addEventListener("click", () => {
    measure.isOn = !measure.isOn;
    button.setAttribute("aria-pressed", String(measure.isOn));
    if (measure.isOn) say("Pick two points.");
    else { measure.clear(); say(""); }
  });
  document.getElementById("save-view").addEventListener("click", () => savePicture(stage, marks, views.dataset.name));
  for (const pick of document.querySelectorAll("[data-pick]")) {
    pick.addEventListener("click", () => {
      say("Pick the entry on the bone.");
      stage.element.scrollIntoView({ block: "center" });
      stage.element.focus();
      measure.once([layers.bone], (point) => {
        document.getElementById(pick.dataset.pick).value = point.toArray().map((value) => value.toFixed(2)).join(", ");
        say("The entry is in the form below.");
      });
    });
  }
}

function scaleBar(stage) {
  const bar = document.createElement("div");
  bar.className = "scale";
  bar.textContent = "20 mm";
  stage.element.append(bar);
  stage.watchers.push(() => { bar.style.width = `${20 / stage.scale}px`; });
}
