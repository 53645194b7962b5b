/** When Google may upgrade clusters: after the night's backups, while people are at work, and two regions never at once. */

/** Hours of each day of a window, UTC. GKE wants windows of 4 hours or more, and 48 hours of them in 32 days. */
export const maintenanceHours = { start: 8, end: 16 } as const;

/** Days of clusters that hold no data. */
const weekend = ["SA", "SU"] as const;

/** Days of a site's regions by their position; the fourth region shares the first one's. */
const regionDays = [
  ["MO", "TU"],
  ["WE", "TH"],
  ["FR", "SA"],
] as const;

/** Days of a region's window, as RFC 5545 writes them; of a cluster that holds no data without a position. */
export function maintenanceDays(position?: number): readonly string[] {
  return position === undefined ? weekend : regionDays[position % regionDays.length]!;
}

/** The recurring window of some days. The date only says since when. */
export function maintenanceWindow(days: readonly string[]) {
  const at = (hour: number) => `2026-01-03T${String(hour).padStart(2, "0")}:00:00Z`;
  return {
    startTime: at(maintenanceHours.start),
    endTime: at(maintenanceHours.end),
    recurrence: `FREQ=WEEKLY;BYDAY=${days.join(",")}`,
  };
}
