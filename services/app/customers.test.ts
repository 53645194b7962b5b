/** Customers' buckets are tried before anybody needs them, with storages that answer as they are told. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { mock, test } from "node:test";
import { customersFile } from "../../plan/customers";
import { checkCustomers, customerPlaces } from "./customers";
import { type Place, StorageError } from "./storage";

/** A bucket whose storage refuses so many times; `asked` are the names that were read. */
function bucket(refusals = 0, object?: Readable) {
  const asked: string[] = [];
  const place: Place = {
    live: "theirs",
    storage: {
      async read(of, name) {
        asked.push(`${of}/${name}`);
        if (asked.length <= refusals) throw new StorageError("reading s3://theirs: AccessDenied (403)");
        return object && { stream: object, type: undefined, bytes: undefined };
      },
      write: () => assert.fail("nothing is written"),
    },
  };
  return { place, asked };
}

/** Checks these buckets. @returns what was logged, and why it failed */
async function checked(places: Record<string, Place>): Promise<{ lines: Record<string, unknown>[]; error?: string }> {
  const print = mock.method(console, "log", () => undefined);
  try {
    const error = await checkCustomers(new Map(Object.entries(places)), 1).then(
      () => undefined,
      (reason: Error) => reason.message,
    );
    const lines = print.mock.calls.map(({ arguments: [line] }) => {
      const { time: _, ...rest } = JSON.parse(line as unknown as string);
      return rest as Record<string, unknown>;
    });
    return { lines, ...(error !== undefined && { error }) };
  } finally {
    print.mock.restore();
  }
}

test("who lets the standby in is asked once, for an object that is not there", async () => {
  const { place, asked } = bucket();
  const { lines, error } = await checked({ acme: place });
  assert.equal(error, undefined);
  assert.deepEqual(lines, [{ severity: "INFO", customer: "acme", message: "lets the standby in" }]);
  assert.equal(asked.length, 1);
  assert.match(asked[0]!, /^theirs\/iconik-check\/[0-9a-f-]{36}$/);
});

test("a refusal that passes is none; one that stays is told once, by the customer's name, and the others are asked all the same", async () => {
  const [passing, staying, well] = [bucket(2), bucket(3), bucket()];
  const { lines, error } = await checked({ passing: passing.place, staying: staying.place, well: well.place });
  assert.deepEqual(
    [passing, staying, well].map(({ asked }) => asked.length),
    [3, 3, 1],
  );
  assert.deepEqual(
    lines.map(({ severity, event, customer }) => ({ severity, event, customer })),
    [
      { severity: "INFO", event: undefined, customer: "passing" },
      { severity: "ERROR", event: "customer-bucket-refused", customer: "staying" },
      { severity: "INFO", event: undefined, customer: "well" },
    ],
  );
  assert.equal(lines[1]!.message, "reading s3://theirs: AccessDenied (403)");
  assert.equal(
    error,
    "1 of 3 customers' buckets cannot be used: staying; their owners let the standby in as docs/customer-buckets.md says",
  );
});

test("an object that is there after all is not read", async () => {
  const object = Readable.from(["somebody's"]);
  assert.equal((await checked({ acme: bucket(0, object).place })).error, undefined);
  assert.equal(object.destroyed, true);
});

test("a bucket is found by what the product calls it, in either cloud", () => {
  const places = customerPlaces(
    {
      token: "/var/run/customers/token",
      buckets: [
        {
          name: "acme",
          bucket: "s3://acme-footage",
          region: "eu-west-1",
          role: "arn:aws:iam::210987654321:role/iconik",
        },
        {
          name: "globex",
          bucket: "gs://globex-media",
          provider: "//iam.googleapis.com/p",
          serviceAccount: "i@p.example",
        },
      ],
    },
    "eu-central-1",
  );
  assert.deepEqual(
    [...places].map(([name, { live }]) => [name, live]),
    [
      ["acme", "acme-footage"],
      ["globex", "globex-media"],
    ],
  );
});

test("as a program it ends by itself, also with nobody to ask", () => {
  const folder = mkdtempSync(join(tmpdir(), "customers-"));
  try {
    writeFileSync(join(folder, customersFile), "[]");
    const args = ["--import", "tsx", join(__dirname, "index.ts"), "check-customers"];
    const env = { ...process.env, REGION: "eu-central-1", CUSTOMERS: folder };
    assert.equal(execFileSync(process.execPath, args, { env, timeout: 60_000, encoding: "utf8" }), "");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
