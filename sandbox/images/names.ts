/** Image repositories of the stand-in operators' own pods. */
export const OPERATOR_IMAGES = {
  cassandra: "sandbox/cassandra",
  medusa: "sandbox/medusa",
  opensearch: "sandbox/opensearch",
} as const;
