// The layers of the 3-D view, read as guidegen.review.web.shapes.mesh_bytes writes them.
import {
  BackSide, BufferAttribute, BufferGeometry, Color, DoubleSide, FrontSide, Mesh, MeshBasicMaterial, MeshLambertMaterial,
} from "./three.min.js";

// Colour, opacity, whether it is shaded round, and when it is drawn: what is seen through comes last.
const LOOKS = {
  tunnel: { colour: 0x5b9dff, order: 1, isRound: true },
  pins: { colour: 0xe9c46a, order: 1, isRound: true },
  lesion: { colour: 0xe5574f, order: 2, isRound: true, opacity: 0.55 },
  keep_out: { colour: 0xa97fd6, order: 2, isRound: true, opacity: 0.6 },
  gap: { colour: 0xffffff, order: 3 },
  guide: { colour: 0x3fb5a5, order: 3 },
  bone: { colour: 0xd5d9de, order: 4, isRound: true, opacity: 0.45 },
};

export async function readLayer(base, name, plane, clearance) {
  const answer = await fetch(`${base}/layer/${name}`);
  if (!answer.ok) throw new Error(`the layer ${name} was not given (${answer.status})`);
  const content = await answer.arrayBuffer();
  const [vertices, faces, values] = new Uint32Array(content, 0, 3);
  const geometry = new BufferGeometry();
  const places = new BufferAttribute(new Float32Array(content, 12, 3 * vertices), 3);
  geometry.setAttribute("position", places);
  geometry.setIndex(new BufferAttribute(new Uint32Array(content, 12 + 12 * vertices, 3 * faces), 1));
  if (name === "gap") geometry.setAttribute("color", gapColours(new Float32Array(content, 12 + 12 * (vertices + faces), values), clearance));
  return meshOf(name, geometry, plane);
}

function meshOf(name, geometry, plane) {
  const look = LOOKS[name];
  if (look.isRound) geometry.computeVertexNormals();
  const material = new MeshLambertMaterial({
    color: look.colour, flatShading: !look.isRound, side: name === "gap" ? DoubleSide : FrontSide, vertexColors: name === "gap",
    transparent: look.opacity !== undefined, opacity: look.opacity ?? 1,
    polygonOffset: name === "gap", polygonOffsetFactor: -2, polygonOffsetUnits: -2,
  });
  const mesh = new Mesh(geometry, material);
  mesh.name = name;
  mesh.renderOrder = look.order;
  mesh.visible = name !== "gap";
  // What a section opens is filled: the inside of a closed surface, unlit, looks like the cut itself.
  const inside = new Mesh(geometry, new MeshBasicMaterial({ color: new Color(look.colour).multiplyScalar(0.55), side: BackSide }));
  inside.renderOrder = look.order;
  inside.visible = false;
  mesh.add(inside);
  mesh.cut = (isCut) => {
    material.clippingPlanes = inside.material.clippingPlanes = isCut ? [plane] : null;
    inside.visible = isCut && name !== "gap";
    material.needsUpdate = inside.material.needsUpdate = true;
  };
  return mesh;
}

// Red in the bone, dark where it touches, green at the asked clearance, pale where it stands off.
const STOPS = [[0, 0x8c2f1b], [0.5, 0xe0a33c], [1, 0x49b86e], [2, 0x4e8fd6], [4, 0xdfe6ee]];

export function gapColours(gaps, clearance) {
  const colours = new Float32Array(3 * gaps.length);
  gaps.forEach((gap, number) => colourAt(gap / clearance).toArray(colours, 3 * number));
  return new BufferAttribute(colours, 3);
}

function colourAt(share) {
  if (share < 0) return new Color(0xff2020);
  const after = STOPS.findIndex(([stop]) => stop >= share);
  if (after < 0) return new Color(STOPS.at(-1)[1]);
  if (after === 0) return new Color(STOPS[0][1]);
  const [[low, from], [high, to]] = [STOPS[after - 1], STOPS[after]];
  return new Color(from).lerp(new Color(to), (share - low) / (high - low));
}
