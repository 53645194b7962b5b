/** Every row of the backups, on one stage. */
import { testRows } from "../testing";
import { backupGroup } from "./backup-gate";

testRows(backupGroup);
