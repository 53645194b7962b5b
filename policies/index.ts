/** The policy pack: the plan's promises, checked in every preview and update. One rule a file. */
import { PolicyPack } from "@pulumi/policy";
import { policyOf } from "./lib/rule";
import { rules } from "./rules";

new PolicyPack("iconik-dr", { policies: rules.map(policyOf) });
