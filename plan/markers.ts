/** How markers are signed (S2, D5): a copy counts only when the vault's own key says so. */

/** Key ring and key in the vault's project; a key ring's name can never be used again. */
export const markerKey = { ring: "copies", key: "markers" } as const;

/** The private key never leaves Google's hardware modules. Readers check with the public key and any crypto library. */
export const markerAlgorithm = { algorithm: "EC_SIGN_P256_SHA256", protectionLevel: "HSM" } as const;

/** What the envelope says it holds (DSSE). Part of what is signed: no other document of that key passes for a marker. */
export const markerType = "application/vnd.iconik-dr.marker+json";

/** A marker is small: its repositories' manifests without their files. Greater ones are not read. */
export const markerMaxBytes = 16 * 1024 * 1024;
