/** Every row of the media, on one stage. */
import { testRows } from "../testing";
import { mediaGroup } from "./media";

testRows(mediaGroup);
