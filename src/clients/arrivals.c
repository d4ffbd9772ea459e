#include "clients/arrivals.h"

#include "base/random.h"
#include "base/time.h"
#include "clients/turns.h"

#include <gsl/gsl_randist.h>
#include <math.h>

int64_t orr_arrivals_next(orr_arrivals *a, const orr_world *w, const orr_cohort *cohort)
{
    const orr_class *class = &w->classes[cohort->class_];
    if (a->number >= (class->follow == ORR_FOLLOW_LOOP ? cohort->clients : cohort->requests))
        return ORR_NEVER;
    uint32_t number = (uint32_t)a->number;
    assert(a->number <= UINT32_MAX);
    a->number++;
    a->client = number;
    if (class->follow == ORR_FOLLOW_LOOP)
        return a->at_ns = (int64_t)((unsigned __int128)class->ramp_ns * number / cohort->clients);
    orr_bits bits = orr_random_bits(w->seed, ORR_STREAM_ARRIVAL, cohort->entity, number, 0);
    a->client = orr_random_below(bits.high, cohort->clients);
    if (cohort->trace_count > 0)
        return a->at_ns = w->traces[cohort->trace + number].at_ns;
    double left = -log(orr_random_unit(bits.low));
    int64_t local_s = w->start_s + w->sites[cohort->site].utc_offset_s;
    int64_t offset = (local_s % 86400 + 86400) % 86400 * ORR_SECOND; /* into the local day: calendar time in ns would not fit */
    int64_t limit = w->duration_ns == ORR_NEVER ? ORR_NEVER / 4 : w->duration_ns;
    while (a->at_ns < limit) {
        int64_t local = a->at_ns + offset, into_hour = local % ORR_HOUR;
        int64_t hour_left = ORR_HOUR - into_hour;
        double rate = cohort->rate_per_ns * class->profile[local / ORR_HOUR % 24];
        if (left < rate * (double)hour_left) {
            a->at_ns += (int64_t)(left / rate);
            return a->at_ns;
        }
        left -= rate * (double)hour_left;
        a->at_ns += hour_left;
    }
    return ORR_NEVER;
}

double orr_arrivals_expected(const orr_world *w, const orr_cohort *cohort, int64_t until)
{
    const orr_class *class = &w->classes[cohort->class_];
    double arrivals = 0, most = (double)cohort->requests;
    if (until == ORR_NEVER && cohort->requests < UINT64_MAX)
        return most * (class->follow == ORR_FOLLOW_LOOP ? 1 : class->turns);
    if (cohort->trace_count > 0) {
        while (arrivals < cohort->trace_count && w->traces[cohort->trace + (uint32_t)arrivals].at_ns < until)
            arrivals++;
    } else {
        int64_t local_s = w->start_s + w->sites[cohort->site].utc_offset_s, offset = (local_s % 86400 + 86400) % 86400 * ORR_SECOND;
        int64_t days = until / ORR_DAY, rest = until % ORR_DAY;
        arrivals = cohort->rate_per_ns * (double)ORR_DAY * (double)days; /* the profile's mean over a day is 1 */
        for (int64_t at = 0; at < rest;) {
            int64_t local = at + offset, left = ORR_HOUR - local % ORR_HOUR, step = left < rest - at ? left : rest - at;
            arrivals += cohort->rate_per_ns * class->profile[local / ORR_HOUR % 24] * (double)step;
            at += step;
        }
    }
    return fmin(arrivals, most) * class->turns;
}

static uint32_t draw_length(const orr_lengths *law, gsl_rng *rng)
{
    double tokens = law->mean;
    if (law->law == ORR_LENGTH_LOGNORMAL)
        tokens = exp(law->mu + law->sigma * gsl_ran_gaussian_ziggurat(rng, 1));
    else if (law->law == ORR_LENGTH_UNIFORM)
        tokens = gsl_ran_flat(rng, law->least - 0.5, law->most + 0.5);
    double bounded = fmin(fmax(nearbyint(tokens), law->least), law->most);
    return (uint32_t)bounded;
}

void orr_arrivals_draw(const orr_world *w, const orr_cohort *cohort, const orr_turn *turn, orr_intention *it)
{
    const orr_class *class = &w->classes[cohort->class_];
    uint32_t number = turn->number;
    uint64_t entity = orr_turn_entity(cohort, turn->turn);
    *it = (orr_intention){.number = number, .client = turn->client, .patience_ns = ORR_NEVER};
    if (cohort->trace_count > 0) {
        const orr_trace_row *row = &w->traces[cohort->trace + number];
        it->input = row->input;
        it->output = row->output;
    } else {
        orr_random stream;
        gsl_rng rng;
        orr_random_at(&stream, w->seed, ORR_STREAM_LENGTHS, entity, number);
        orr_random_gsl(&rng, &stream);
        it->input = draw_length(&class->input, &rng);
        it->output = draw_length(&class->output, &rng);
        if (class->thinking.most > 0)
            it->thinking = draw_length(&class->thinking, &rng);
        if (class->images.most > 0)
            it->images = draw_length(&class->images, &rng);
    }
    it->prefix = class->prefix_tokens;
    it->input += it->prefix;
    it->input += it->input == 0;
    it->output += it->output == 0;
    it->output += it->thinking;
    if (it->images > 0)
        it->input += it->images * w->models[w->services[class->service].model].image_tokens;
    it->since = turn->turn;
    if (turn->history > 0 && (uint64_t)turn->history + it->input + it->output <= class->context) {
        it->history = turn->history;
        it->input += it->history;
        it->since = turn->since;
    }
    if (class->access_sigma >= 0) {
        orr_random stream;
        gsl_rng rng;
        orr_random_at(&stream, w->seed, ORR_STREAM_CLIENT, cohort->entity, it->client);
        orr_random_gsl(&rng, &stream);
        it->access_normal = gsl_ran_gaussian_ziggurat(&rng, 1);
    }
    if (isfinite(class->patience_mean_ns)) {
        double u = orr_random_unit(orr_random_bits(w->seed, ORR_STREAM_PATIENCE, entity, number, 0).low);
        it->patience_ns = (int64_t)fmin(-log(u) * class->patience_mean_ns, (double)ORR_LONGEST_RUN);
    }
    double sample = orr_random_unit(orr_random_bits(w->seed, ORR_STREAM_CLIENT, cohort->entity, it->client, 1 << 20).low);
    it->sampled = sample < w->sample;
}

int64_t orr_access_round_trip(const orr_world *w, const orr_cohort *cohort, uint32_t number, uint32_t turn, uint32_t attempt, double client_normal)
{
    const orr_class *class = &w->classes[cohort->class_];
    if (class->access_sigma < 0)
        return 0;
    orr_random stream;
    gsl_rng rng;
    orr_random_at(&stream, w->seed, ORR_STREAM_ACCESS, orr_turn_entity(cohort, turn), number);
    stream.block = attempt << 8;
    orr_random_gsl(&rng, &stream);
    /* Half of the variance belongs to the place where the client is, half to the moment. */
    double z = (client_normal + gsl_ran_gaussian_ziggurat(&rng, 1)) * M_SQRT1_2;
    return (int64_t)exp(class->access_mu + class->access_sigma * z);
}

int64_t orr_retry_pause(const orr_world *w, const orr_cohort *cohort, uint32_t number, uint32_t turn, uint32_t attempt)
{
    const orr_class *class = &w->classes[cohort->class_];
    double pause = fmin((double)class->backoff_ns * pow(class->backoff_multiplier, attempt - 1), (double)class->backoff_most_ns);
    double u = orr_random_unit(orr_random_bits(w->seed, ORR_STREAM_BACKOFF, orr_turn_entity(cohort, turn), number, attempt).low);
    return (int64_t)(pause * (1 - class->backoff_jitter * u));
}
