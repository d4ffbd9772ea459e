/**
 * Telemetry: what sites report, and what of it an observer can know.
 *
 * Every period a site puts a report on its *board*, and nobody is sent anything. The delay between two sites does not change, so
 * the time alone tells an observer which report is the newest that has reached it by now; it reads that one off the board
 * when a decision needs it. A report thus costs the same for one observer and for five thousand, and an observer that decides seldom does
 * little. Nothing is read before its delay has passed, hence nothing that another lane writes in the same window: boards need
 * no lock. A lost report is skipped by the observer that lost it, which the draw at the pair's address tells.
 *
 * A policy that looks at single rows reads boards directly; for the others every observer keeps *columns*, brought up to date before each
 * decision. With period 0 sites report at every change, by messages into the columns.
 *
 * *Own decisions* are requests that this observer has sent and the newest report could not yet count: each is remembered until the first
 * report after its arrival is known.
 */
#ifndef ORRERY_GRID_TELEMETRY_H
#define ORRERY_GRID_TELEMETRY_H

#include "grid/grid.h"

/** Gives an observer the columns that the policy needs, empty. What was there before is dropped unless messages filled it. False when out of memory. */
bool orr_telemetry_open_view(orr_grid *grid, orr_site *observer);

/** Settles how large a site's board is: not state, but the same for every run of a scenario. */
void orr_telemetry_size_board(const orr_grid *grid, orr_site *site);

/** Gives a site with pools its board, or its counts of requests received. False when out of memory. */
bool orr_telemetry_open_board(const orr_grid *grid, orr_site *site);

/** Is the board, which has been loaded, as large as it must be? */
bool orr_telemetry_sound(const orr_site *site);

/** The first report of a site. */
void orr_telemetry_start(orr_grid *grid, orr_lane *lane, orr_site *site);

/** A period is over: the site reports. */
void orr_telemetry_report(orr_grid *grid, orr_lane *lane, orr_site *site);

/** A request of `source` for `pool` has arrived at `site`. To be told before anything else of it. */
void orr_telemetry_arrived(orr_grid *grid, orr_site *site, uint32_t pool, uint32_t source);

/** Something at `pool` has changed: reported at once with period 0. */
void orr_telemetry_changed(orr_grid *grid, orr_lane *lane, orr_site *site, uint32_t pool);

/** A report has come as a message. */
void orr_telemetry_receive(orr_site *observer, const void *payload, uint32_t length);

/** Brings the columns and the own decisions up to `now_ns`, before the policy is asked. */
void orr_telemetry_refresh(orr_grid *grid, orr_site *observer, int64_t now_ns);

/** What the observer knows of a row, or for an oracle what is; after orr_telemetry_refresh to the same moment. */
orr_policy_row orr_telemetry_look(orr_grid *grid, const orr_site *observer, uint32_t row, int64_t now_ns);

/** The observer has sent a request to `row`, to arrive at `arrives_ns`. */
void orr_telemetry_sent(orr_grid *grid, orr_lane *lane, orr_site *observer, uint32_t row, int64_t arrives_ns);

#endif
