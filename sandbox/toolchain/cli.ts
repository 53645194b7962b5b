/** `make setup`: everything the sandbox runs is installed, built and cached. */
import { Command } from "commander";
import { cacheRoot } from "./cache";
import { ensureTools } from "./index";

const program = new Command("toolchain").description("the pinned programs of the sandbox");

program
  .command("ensure", { isDefault: true })
  .alias("setup")
  .description("install and build what is missing; quick when nothing is")
  .action(async () => {
    const started = Date.now();
    let built = false;
    await ensureTools((line) => {
      built = true;
      console.log(line);
    });
    const seconds = ((Date.now() - started) / 1000).toFixed(1);
    if (built) console.log(`Everything is ready in ${cacheRoot()} after ${seconds} s.`);
  });

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
