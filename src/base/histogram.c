#include "base/histogram.h"

#include <math.h>
#include <string.h>

/* How a value finds its counter. Values under 128 have one each, in power 0. Above, with e the position of the leading bit:
 *
 *     value   1 sssssss xxxxx          e = 12
 *               split   lost           power = e - 6, split = the seven bits after the leading one
 */
static void place(int64_t value, uint32_t *power, uint32_t *split)
{
    uint64_t v = (uint64_t)value;
    if (v < ORR_HISTOGRAM_SPLIT) {
        *power = 0;
        *split = (uint32_t)v;
        return;
    }
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(v) - ORR_HISTOGRAM_SPLIT_BITS;
    *power = shift + 1;
    *split = (uint32_t)(v >> shift) & (ORR_HISTOGRAM_SPLIT - 1);
}

static int64_t lower_bound(uint32_t power, uint32_t split)
{
    return power == 0 ? (int64_t)split : (int64_t)(((uint64_t)ORR_HISTOGRAM_SPLIT + split) << (power - 1));
}

static uint64_t width(uint32_t power) { return power == 0 ? 1 : UINT64_C(1) << (power - 1); }

int64_t orr_histogram_upper(int64_t lower_ns)
{
    uint32_t power, split;
    place(lower_ns, &power, &split);
    uint64_t upper = (uint64_t)lower_bound(power, split) + width(power);
    return upper > INT64_MAX ? INT64_MAX : (int64_t)upper;
}

void orr_shelf_init(orr_shelf *shelf) { orr_array_init(&shelf->chunks, sizeof(uint32_t[ORR_HISTOGRAM_SPLIT])); }

static uint32_t *counter(orr_histogram *histogram, orr_shelf *shelf, int64_t value)
{
    assert(value >= 0);
    uint32_t power, split;
    place(value, &power, &split);
    if (histogram->chunk[power] == 0) {
        if (orr_array_extend(&shelf->chunks, 1) == NULL)
            return NULL;
        histogram->chunk[power] = shelf->chunks.count;
    }
    return (uint32_t *)orr_array_at(&shelf->chunks, histogram->chunk[power] - 1) + split;
}

static void note_largest(orr_histogram *histogram, int64_t value)
{
    if (histogram->count == 0 || value > histogram->largest)
        histogram->largest = value;
}

bool orr_histogram_record(orr_histogram *histogram, orr_shelf *shelf, int64_t value_ns)
{
    uint32_t *c = counter(histogram, shelf, value_ns);
    if (c == NULL)
        return false;
    ++*c;
    note_largest(histogram, value_ns);
    histogram->sum += (uint64_t)value_ns;
    histogram->count++;
    return true;
}

bool orr_histogram_record_run(orr_histogram *histogram, orr_shelf *shelf, int64_t first, int64_t step, int64_t count, uint32_t times, uint32_t bits)
{
    if (count <= 0 || times == 0)
        return true;
    for (int64_t i = 0; i < count;) {
        int64_t value = (first + i * step) >> bits;
        uint32_t *c = counter(histogram, shelf, value);
        if (c == NULL)
            return false;
        int64_t upper = orr_histogram_upper(value), here = count - i; /* those that fall into the same bucket: below `upper` */
        if (step > 0 && upper < INT64_MAX >> bits) {
            int64_t until = ((upper << bits) - first + step - 1) / step;
            here = until - i < here ? until - i : here;
        }
        uint64_t more = (uint64_t)here * times;
        *c = more < UINT32_MAX - *c ? *c + (uint32_t)more : UINT32_MAX;
        i += here;
    }
    note_largest(histogram, (first + (count - 1) * step) >> bits);
    histogram->sum += (((unsigned __int128)first * (uint64_t)count + (unsigned __int128)step * (uint64_t)(count * (count - 1) / 2)) * times) >> bits;
    histogram->count += (uint64_t)count * times;
    return true;
}

bool orr_histogram_add(orr_histogram *histogram, orr_shelf *shelf, int64_t lower_ns, uint32_t times)
{
    uint32_t *c = counter(histogram, shelf, lower_ns);
    if (c == NULL)
        return false;
    *c += times;
    note_largest(histogram, orr_histogram_upper(lower_ns) - 1);
    histogram->count += times;
    return true;
}

bool orr_histogram_merge(orr_histogram *histogram, orr_shelf *shelf, const orr_histogram *source, const orr_shelf *source_shelf)
{
    if (source->count == 0)
        return true;
    for (uint32_t power = 0; power < ORR_HISTOGRAM_POWERS; power++) {
        if (source->chunk[power] == 0)
            continue;
        uint32_t *to = counter(histogram, shelf, lower_bound(power, 0));
        if (to == NULL)
            return false;
        const uint32_t *from = orr_array_at(&source_shelf->chunks, source->chunk[power] - 1);
        for (uint32_t i = 0; i < ORR_HISTOGRAM_SPLIT; i++)
            to[i] += from[i];
    }
    note_largest(histogram, source->largest);
    histogram->sum += source->sum;
    histogram->count += source->count;
    return true;
}

void orr_histogram_reset(orr_histogram *histogram, orr_shelf *shelf)
{
    if (histogram->count > 0)
        for (uint32_t power = 0; power < ORR_HISTOGRAM_POWERS; power++)
            if (histogram->chunk[power] != 0)
                memset(orr_array_at(&shelf->chunks, histogram->chunk[power] - 1), 0, shelf->chunks.item_size);
    histogram->count = 0;
    histogram->sum = 0;
    histogram->largest = 0;
}

bool orr_histogram_next(const orr_histogram *histogram, const orr_shelf *shelf, uint32_t *at, int64_t *lower_ns, uint32_t *count)
{
    uint32_t power = *at >> ORR_HISTOGRAM_SPLIT_BITS, split = *at & (ORR_HISTOGRAM_SPLIT - 1);
    for (; power < ORR_HISTOGRAM_POWERS; power++, split = 0) {
        if (histogram->chunk[power] == 0)
            continue;
        const uint32_t *c = orr_array_at(&shelf->chunks, histogram->chunk[power] - 1);
        for (; split < ORR_HISTOGRAM_SPLIT; split++)
            if (c[split] > 0) {
                *lower_ns = lower_bound(power, split);
                *count = c[split];
                *at = ((power << ORR_HISTOGRAM_SPLIT_BITS) | split) + 1;
                return true;
            }
    }
    return false;
}

int64_t orr_histogram_quantile(const orr_histogram *histogram, const orr_shelf *shelf, double q)
{
    assert(q >= 0 && q <= 1);
    if (histogram->count == 0)
        return -1;
    uint64_t rank = (uint64_t)ceil(q * (double)histogram->count), seen = 0;
    if (rank >= histogram->count)
        return histogram->largest;
    uint32_t at = 0, count;
    int64_t lower = 0;
    while (orr_histogram_next(histogram, shelf, &at, &lower, &count))
        if ((seen += count) >= rank)
            break;
    return lower + (orr_histogram_upper(lower) - lower) / 2;
}

double orr_histogram_mean(const orr_histogram *histogram)
{
    return histogram->count == 0 ? NAN : (double)histogram->sum / (double)histogram->count;
}
