/* Power of d choices: the least loaded of d different candidates drawn at random, in proportion to their slots; ties are broken uniformly
 * (Mitzenmacher, IEEE TPDS 12(10), 2001; Vvedenskaya, Dobrushin and Karpelevich, 1996). */
#include "policies/load.h"
#include "policies/policies.h"

enum { MOST = 64, MISSES = 32 };

static const orr_policy_option options_of[] = {{"d", 2, 1, MOST, "how many pools are compared", 1}};

static bool contains(const uint32_t *rows, uint32_t count, uint32_t row)
{
    for (uint32_t i = 0; i < count; i++)
        if (rows[i] == row)
            return true;
    return false;
}

static void route(void *state, const orr_policy_host *host, const orr_policy_world *world, const orr_policy_view *view,
                  const orr_policy_request *request, const double *options, orr_decision *decision)
{
    uint64_t least = 0;
    (void)state, (void)view;
    uint32_t n = request->candidate_count, d = (uint32_t)options[0] < n ? (uint32_t)options[0] : n, drawn[MOST], best = 0, ties = 0, k = MOST;
    for (uint32_t i = 0; i < d; i++) {
        uint32_t row = orr_sample(host, request, k++);
        for (uint32_t misses = 0; misses < MISSES && contains(drawn, i, row); misses++) /* until it is a new one */
            row = orr_sample(host, request, k++);
        for (uint32_t c = 0; contains(drawn, i, row); c++) /* one pool has nearly all slots: the first of the others */
            row = request->candidates[c];
        drawn[i] = row;
        orr_policy_row known = host->look(host->context, row);
        uint64_t load = orr_row_load(&known);
        int order = i == 0 ? -1 : orr_compare_load(load, world->row_slots[row], least, world->row_slots[best]);
        /* Among k equals each ends up chosen with probability 1/k: the k-th replaces the others with that probability. */
        if (order < 0)
            ties = 1;
        else if (order == 0)
            ties++;
        if (order < 0 || (order == 0 && orr_pick(host->draw(host->context, request, i), ties) == 0))
            best = row;
        if (best == row)
            least = load;
    }
    decision->row = best;
}

const orr_policy orr_policy_power_of_d = {.size = sizeof(orr_policy),
                                          .abi = ORR_POLICY_ABI,
                                          .name = "power_of_d",
                                          .summary = "least loaded of d pools drawn at random",
                                          .options = options_of,
                                          .option_count = 1,
                                          .route = route,
                                          .looks = 1};
