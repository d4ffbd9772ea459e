#include "base/random.h"

#include <Random123/philox.h>
#include <assert.h>
#include <string.h>
#include <xxhash.h>

static philox4x32_ctr_t block_at(uint64_t seed, uint32_t stream, uint64_t entity, uint32_t counter, uint32_t block)
{
    assert(stream < 256 && block < 1u << 24);
    philox4x32_ctr_t address = {{stream << 24 | block, counter, (uint32_t)entity, (uint32_t)(entity >> 32)}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(address, key);
}

orr_bits orr_random_bits(uint64_t seed, orr_stream stream, uint64_t entity, uint32_t counter, uint32_t block)
{
    philox4x32_ctr_t r = block_at(seed, stream, entity, counter, block);
    return (orr_bits){(uint64_t)r.v[1] << 32 | r.v[0], (uint64_t)r.v[3] << 32 | r.v[2]};
}

double orr_random_unit(uint64_t bits) { return ((double)(bits >> 12) + 0.5) * 0x1p-52; }

uint64_t orr_random_below(uint64_t bits, uint64_t n) { return (uint64_t)(((unsigned __int128)bits * n) >> 64); }

void orr_random_at(orr_random *random, uint64_t seed, orr_stream stream, uint64_t entity, uint32_t counter)
{
    *random = (orr_random){.seed = seed, .entity = entity, .stream = stream, .counter = counter, .used = 4};
}

static uint32_t next_word(orr_random *random)
{
    if (random->used == 4) {
        philox4x32_ctr_t r = block_at(random->seed, random->stream, random->entity, random->counter, random->block++);
        memcpy(random->word, r.v, sizeof random->word);
        random->used = 0;
    }
    return random->word[random->used++];
}

static void gsl_set(void *state, unsigned long seed) { orr_random_at(state, seed, ORR_STREAM_TEST, 0, 0); }

static unsigned long gsl_get(void *state) { return next_word(state); }

static double gsl_get_double(void *state)
{
    uint64_t low = next_word(state), high = next_word(state);
    return (double)((high << 32 | low) >> 11) * 0x1p-53;
}

static const gsl_rng_type philox_type = {"philox4x32-10", UINT32_MAX, 0, sizeof(orr_random), gsl_set, gsl_get, gsl_get_double};
const gsl_rng_type *const orr_random_type = &philox_type;

void orr_random_gsl(gsl_rng *rng, orr_random *random)
{
    rng->type = &philox_type;
    rng->state = random;
}

uint64_t orr_entity(const char *name) { return XXH64(name, strlen(name), 0); }

uint64_t orr_entity_part(uint64_t entity, uint64_t part) { return XXH64(&part, sizeof part, entity); }
