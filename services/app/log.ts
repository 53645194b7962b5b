/** Writes a line of JSON to the log, with the moment. */
export const log = (fields: object): void => console.log(JSON.stringify({ time: new Date(), ...fields }));
