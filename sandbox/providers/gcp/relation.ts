/** What relations between properties are made of. */
export { failIf, isEmpty, type Relation, records } from "../shape/relation";
