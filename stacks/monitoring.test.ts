/** What each stack watches: every alert of its own, heard by somebody, told as the plan tells it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { alerts, documentation } from "../plan/alerts";
import { limits } from "../plan/limits";
import type { Declaration } from "../tests/lib/declared";
import { declaredStack, type StackName } from "../tests/lib/stacks";

const ofType = ({ resources }: Declaration, type: string) => resources.filter((each) => each.type === type);
const ALERT = "gcp:monitoring/alertPolicy:AlertPolicy";
const CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel";
const AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig";
const METRIC = "gcp:logging/metric:Metric";

const owners: Partial<Record<StackName, string>> = {
  vault: "vault",
  "vault-granting": "vault",
  prod: "site",
  "rebuild-1": "site",
  foundation: "foundation",
};

for (const stack of ["vault", "prod", "foundation"] as const) {
  test(`${stack} declares its alerts, in its own project, and somebody hears of each`, async () => {
    const found = await declaredStack(stack);
    const own = alerts.filter(({ owner }) => owner === owners[stack]);
    const policies = ofType(found, ALERT);
    assert.deepEqual(policies.map(({ name }) => name).sort(), own.map(({ id }) => `alerts-${id}`).sort());
    const [channel, ...more] = ofType(found, CHANNEL);
    assert.deepEqual(more, []);
    assert.deepEqual(channel?.inputs.labels, { email_address: "on-call@example.com" });
    for (const { name, inputs } of policies) {
      const alert = own.find(({ id }) => name === `alerts-${id}`)!;
      assert.equal(inputs.project, channel?.inputs.project);
      assert.equal((inputs.notificationChannels as unknown[]).length, 1, name);
      assert.equal(inputs.severity, alert.severity);
      assert.equal((inputs.documentation as { content: string }).content, documentation(alert));
      const [condition, ...others] = inputs.conditions as Record<string, unknown>[];
      assert.deepEqual(others, []);
      assert.equal(Object.keys(condition!).filter((key) => key.startsWith("condition")).length, 1, name);
      const strategy = inputs.alertStrategy as Record<string, unknown>;
      assert.equal("notificationRateLimit" in strategy, "conditionMatchedLog" in condition!, name);
    }
  });
}

test("who touches the copies is logged for longer than an attacker stays unnoticed; nobody is exempt", async () => {
  const vault = await declaredStack("vault");
  const storage = ofType(vault, AUDIT).find(({ inputs }) => inputs.service === "storage.googleapis.com");
  assert.deepEqual(
    storage?.inputs.auditLogConfigs,
    ["ADMIN_READ", "DATA_READ", "DATA_WRITE"].map((logType) => ({ logType })),
  );
  const [logs] = ofType(vault, "gcp:logging/projectBucketConfig:ProjectBucketConfig");
  assert.deepEqual([logs?.inputs.bucketId, logs?.inputs.retentionDays], ["_Default", limits.auditLogDays]);
  assert.ok(
    ofType(await declaredStack("prod"), AUDIT).some(({ inputs }) => inputs.service === "storage.googleapis.com"),
  );
  assert.deepEqual(ofType(await declaredStack("foundation"), AUDIT), []);
});

test("a drill's stack may be heard by nobody: its alerts are there without channels", async () => {
  const { Alerts } = await import("../components/alerts");
  const { siteAlerts } = await import("../plan/alerts");
  const { declared } = await import("../tests/lib/declared");
  const scope = { clusters: ["a"], regions: 1, canaries: 1, backupBucket: "b" };
  const found = await declared(() => {
    new Alerts("alerts", { project: "iconik-drill", alerts: siteAlerts, scope, channels: [] });
  });
  for (const { name, inputs } of ofType(found, ALERT)) {
    assert.deepEqual(inputs.notificationChannels, [], name);
    assert.ok(!("notificationChannelStrategies" in (inputs.alertStrategy as object)), name);
  }
});

test("runs are counted where alerts ask for them, and the product is asked from outside", async () => {
  for (const stack of ["prod", "vault"] as const) {
    const [metric, ...more] = ofType(await declaredStack(stack), METRIC);
    assert.deepEqual(more, []);
    assert.equal(metric?.inputs.name, "dr_job_runs");
  }
  const [check] = ofType(await declaredStack("foundation"), "gcp:monitoring/uptimeCheckConfig:UptimeCheckConfig");
  const { selectedRegions, httpCheck } = check!.inputs as {
    selectedRegions: string[];
    httpCheck: Record<string, unknown>;
  };
  assert.ok(new Set(selectedRegions.map((region) => region.split("_")[0])).size >= 4, "continents");
  assert.deepEqual([httpCheck.useSsl, httpCheck.validateSsl], [true, true]);
});

test("the exporter is as restricted as a job, runs on, and says where it is scraped", async () => {
  const vault = await declaredStack("vault");
  const [deployment, ...more] = ofType(vault, "kubernetes:apps/v1:Deployment");
  assert.deepEqual(more, []);
  const spec = deployment!.inputs.spec as { template: { metadata: { labels: object }; spec: Record<string, unknown> } };
  assert.equal(spec.template.spec.restartPolicy, "Always");
  assert.equal(spec.template.spec.serviceAccountName, "freshness");
  const [container] = spec.template.spec.containers as Record<string, unknown>[];
  assert.deepEqual(container?.args, ["freshness"]);
  assert.ok(container?.readinessProbe && container?.livenessProbe);
  assert.equal((container!.securityContext as { readOnlyRootFilesystem: boolean }).readOnlyRootFilesystem, true);
  const [scrape] = ofType(vault, "kubernetes:monitoring.googleapis.com/v1:PodMonitoring");
  assert.deepEqual((scrape!.inputs.spec as { selector: object }).selector, {
    matchLabels: spec.template.metadata.labels,
  });
});
