import assert from "node:assert/strict";
import { test } from "node:test";
import { byBytes } from "./listing";
import { repositoryProblems, rootListing } from "./repository-listing";

const R = "elasticsearch-emea";
const snapshot = { snapshot: "night-1", uuid: "u1" };
const root = (change: object = {}) => ({
  snapshots: [
    { name: "night-0", uuid: "u0", state: 1 },
    { name: "night-1", uuid: "u1", state: 1 },
  ],
  indices: { assets: { id: "i1", snapshots: ["u0", "u1"] } },
  ...change,
});
const names = [
  `${R}/index-9`,
  `${R}/index-10`,
  `${R}/index.latest`,
  `${R}/snap-u1.dat`,
  `${R}/meta-u1.dat`,
  `${R}/indices/i1/0/snap-u1.dat`,
  `${R}/indices/i1/1/snap-u1.dat`,
];
const listing = (list: string[]) =>
  async function* () {
    for (const key of [...list].sort(byBytes)) yield { key };
  };
const problems = (content: unknown, list = names, index = "assets") =>
  repositoryProblems(R, snapshot, new Map([[index, 2]]), listing(list), async (name) => {
    assert.equal(name, `${R}/index-10`, "10 is newer than 9");
    return JSON.stringify(content);
  });

test("a snapshot that its repository lists, with every object, is whole; members may be named by place", async () => {
  assert.deepEqual(await problems(root()), []);
  assert.deepEqual(await problems(root({ indices: { assets: { id: "i1", snapshots: [0, 1] } } })), []);
});

test("each object that is missing is named", async () => {
  for (const name of names.slice(3)) {
    assert.deepEqual(
      await problems(
        root(),
        names.filter((each) => each !== name),
      ),
      [`${name} is missing`],
    );
  }
  assert.equal(
    await rootListing(R, listing([`${R}/index.latest`, `${R}x/index-3`, `${R}/indices/i1/0/index-4`])),
    undefined,
  );
  const none = await repositoryProblems(R, snapshot, new Map(), listing([]), async () => "");
  assert.match(none[0]!, /own listing, is missing/);
});

test("a snapshot or an index that the listing does not have, or not whole, is a problem", async () => {
  assert.match((await problems(root({ snapshots: [] })))[0]!, /does not list night-1/);
  const other = { name: "night-1", uuid: "other", state: 1 };
  assert.match((await problems(root({ snapshots: [other] })))[0]!, /does not list night-1/);
  assert.match((await problems(root({ snapshots: [{ ...snapshot, name: "night-1", state: 3 }] })))[0]!, /state 3/);
  assert.match((await problems(root(), names, "gone"))[0]!, /does not list index gone/);
  assert.match((await problems(root({ indices: { assets: { id: "i1", snapshots: ["u0"] } } })))[0]!, /index assets/);
  await assert.rejects(problems({ snapshots: 1 }), /index-10 is not what this version reads/);
});
