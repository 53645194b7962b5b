/** Who takes how much when a region has less capacity than requests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { capacityOf, Rates, weightsOf } from "./capacity";
import type { BackendService } from "./declaration";

const order = ["eu", "us", "asia"];
const near = (region: string, rate: number) => ({
  near: region,
  order: [region, ...order.filter((each) => each !== region)],
  rate,
});
const weights = (demands: Parameters<typeof weightsOf>[0], capacity: Record<string, number>) =>
  Object.fromEntries(
    [...weightsOf(demands, new Map(Object.entries(capacity)))].map(([name, each]) => [name, Object.fromEntries(each)]),
  );

test("within its capacity a region takes everything, and about it as well", () => {
  assert.deepEqual(weights([near("eu", 100)], { eu: 200, us: 200 }), {});
  assert.deepEqual(weights([near("eu", 204)], { eu: 200, us: 200 }), {});
});

test("what is above goes to the next-closest region that has capacity", () => {
  assert.deepEqual(weights([near("eu", 200)], { eu: 100, us: 200 }), { eu: { eu: 50, us: 50 } });
  assert.deepEqual(weights([near("eu", 200)], { eu: 100, us: 50, asia: 200 }), { eu: { eu: 50, us: 25, asia: 25 } });
});

test("a region serves its own users before those of others", () => {
  const both = [near("eu", 200), near("us", 180)];
  assert.deepEqual(weights(both, { eu: 100, us: 200, asia: 500 }), { eu: { eu: 50, us: 10, asia: 40 } });
});

test("when every region is above its capacity, all of them take more", () => {
  assert.deepEqual(weights([near("eu", 1200)], { eu: 100, us: 200 }), { eu: { eu: 35, us: 65 } });
});

test("a region without capacity is failed over from, and one without a rate takes whatever comes", () => {
  assert.deepEqual(weights([near("eu", 200)], { eu: 0, us: 200 }), {});
  assert.deepEqual(weights([near("eu", 200)], { eu: Number.POSITIVE_INFINITY, us: 1 }), {});
  assert.deepEqual(weights([near("eu", 200)], { eu: 100, us: Number.POSITIVE_INFINITY }), { eu: { eu: 50, us: 50 } });
});

test("a region's capacity is that of its healthy endpoints", () => {
  const group = (zone: string, more: object) => ({ id: zone, zone, network: "n", serves: true, ...more });
  const groups = [
    group("eu-b", { ratePerEndpoint: 50 }),
    group("eu-c", { ratePerEndpoint: 50 }),
    group("us-a", { ratePerEndpoint: 100, serves: false }),
    group("asia-a", {}),
  ];
  const healthy = (id: string) => (id === "eu-c" ? 0 : 2);
  const found = capacityOf({ groups } as unknown as BackendService, (zone) => zone.split("-")[0]!, healthy);
  assert.deepEqual([...found], [...Object.entries({ eu: 100, us: 0, asia: Number.POSITIVE_INFINITY })]);
});

test("rates are of the last looks", () => {
  const rates = new Rates();
  assert.equal(rates.of("a"), 0);
  for (let look = 0; look < 10; look++) rates.add(1000 * look, new Map([["a", look < 5 ? 0 : 40 * (look - 5)]]));
  assert.equal(rates.of("a"), 40);
  assert.equal(rates.of("b"), 0);
});
