#include "grid/site.h"

#include <stddef.h>

/* Each array of the site with its item, once: initialising, saving, loading and freeing all read this table. */
static const struct field {
    size_t offset, item;
} fields[] = {
#define FIELD(name, type) {offsetof(orr_site, name), sizeof(type)}
    FIELD(cohorts, orr_cohort_state), FIELD(requests, orr_request), FIELD(thinking, orr_thinking), FIELD(as_of, int64_t), FIELD(running, uint32_t), FIELD(waiting, uint32_t),
    FIELD(kv_used, uint32_t), FIELD(token, int64_t), FIELD(wait, int64_t), FIELD(shown, orr_shown), FIELD(own, uint32_t), FIELD(sent, uint32_t), FIELD(unheard, orr_unheard), FIELD(board, orr_report_row), FIELD(under_way, uint32_t), FIELD(price, int64_t),
    FIELD(policy, char), FIELD(block_names, uint64_t), FIELD(bytes, uint64_t[2]), FIELD(rows, orr_request_row), FIELD(pools, orr_pool_state), FIELD(llms, orr_llm),
    FIELD(stations, orr_station), FIELD(llm_heaps, orr_llm_entry), FIELD(station_heaps, orr_station_entry),
    FIELD(prefix_nodes, orr_prefix_node), FIELD(prefix_shortcuts, uint32_t), FIELD(prefix_by_key.places, orr_map_place), FIELD(egress, int64_t), FIELD(replicas, orr_replica), FIELD(units, orr_unit), FIELD(spans, orr_llm_span), FIELD(gaps, orr_llm_gap), FIELD(traced, orr_llm_span),
    FIELD(armed, orr_armed), FIELD(present, uint32_t), FIELD(winners, uint32_t), FIELD(jobs, orr_job), FIELD(by_request.places, orr_map_place), FIELD(received, uint32_t),
    FIELD(carry, uint32_t), FIELD(rated, uint64_t), FIELD(tariff, uint32_t), FIELD(outbox, orr_job_event), FIELD(shelf.chunks, uint32_t[ORR_HISTOGRAM_SPLIT]),
#undef FIELD
};
enum { FIELDS = sizeof fields / sizeof *fields };

static orr_array *array_at(orr_site *site, size_t i) { return (orr_array *)((char *)site + fields[i].offset); }

void orr_site_init(orr_site *site, uint32_t id)
{
    *site = (orr_site){.id = id};
    for (size_t i = 0; i < FIELDS; i++)
        orr_array_init(array_at(site, i), fields[i].item);
}

void orr_site_archive(orr_site *site, orr_archive *archive)
{
    orr_archive_bytes(archive, &site->free_request, sizeof site->free_request);
    orr_archive_bytes(archive, &site->free_thinking, sizeof site->free_thinking);
    orr_archive_bytes(archive, &site->in_flight, sizeof site->in_flight);
    orr_archive_bytes(archive, &site->flow, sizeof site->flow);
    orr_archive_bytes(archive, &site->bytes_sent, sizeof site->bytes_sent);
    orr_archive_bytes(archive, &site->bytes_received, sizeof site->bytes_received);
    orr_archive_bytes(archive, &site->row_sequence, sizeof site->row_sequence);
    orr_archive_bytes(archive, &site->state_age, sizeof site->state_age);
    orr_archive_bytes(archive, &site->last_end_ns, sizeof site->last_end_ns);
    orr_archive_bytes(archive, &site->free_job, sizeof site->free_job);
    orr_archive_bytes(archive, &site->free_prefix, sizeof site->free_prefix);
    orr_archive_bytes(archive, &site->prefix_by_key.count, sizeof site->prefix_by_key.count);
    orr_archive_bytes(archive, &site->by_request.count, sizeof site->by_request.count);
    orr_archive_bytes(archive, &site->reports, sizeof site->reports);
    orr_archive_bytes(archive, &site->bytes_taken, sizeof site->bytes_taken);
    orr_archive_bytes(archive, &site->bytes_given, sizeof site->bytes_given);
    orr_archive_bytes(archive, &site->violations, sizeof site->violations);
    for (size_t i = 0; i < FIELDS; i++)
        orr_archive_array(archive, array_at(site, i));
}
