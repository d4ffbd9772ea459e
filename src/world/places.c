/* Places: sites and links, from the catalogue and from the scenario itself. */
#include "base/random.h"
#include "world/builder.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_words[] = {"hub", "province", "metro", "edge", "overseas", "landing", "transit"};

double orr_great_circle_km(double lat_a, double lon_a, double lat_b, double lon_b)
{
    const double radius_km = 6371.0088, degree = M_PI / 180;
    double dlat = (lat_b - lat_a) * degree, dlon = (lon_b - lon_a) * degree;
    double h = pow(sin(dlat / 2), 2) + cos(lat_a * degree) * cos(lat_b * degree) * pow(sin(dlon / 2), 2);
    return 2 * radius_km * asin(fmin(1, sqrt(h)));
}

static orr_site_info *add_site(orr_builder *b, const char *id, orr_where where)
{
    if (*id == 0)
        orr_problem(b->problems, where, "a site needs an id");
    uint32_t other = orr_look_up(&b->sites, id);
    if (other != ORR_NONE) {
        orr_where first = ((orr_site_info *)orr_array_at(&b->sites, other))->where;
        orr_problem(b->problems, where, "duplicate site `%s`; it is also at %s:%u", id, first.file, first.line);
    }
    orr_site_info *s = orr_append(b, &b->sites);
    *s = (orr_site_info){.id = id, .where = where, .entity = orr_entity(id), .ingress = ORR_NONE, .compute = ORR_NONE};
    return s;
}

static orr_where kept_where(orr_builder *b, orr_where where)
{
    where.file = orr_keep(b, where.file);
    return where;
}

static uint32_t hours_of(orr_builder *b, const char *name, orr_where where)
{
    return *name == 0 ? ORR_NONE : orr_find(b, &b->grid_hours, name, "grid", where);
}

/* Without the catalogue of hours electricity is flat at the sites of the catalogue. */
static void catalogue_sites(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "sites");
    if (csv == NULL)
        return;
    int id = orr_csv_need(csv, "id", b->problems), lat = orr_csv_need(csv, "lat", b->problems), lon = orr_csv_need(csv, "lon", b->problems);
    int kind = orr_csv_need(csv, "kind", b->problems), population = orr_csv_need(csv, "population", b->problems);
    int offset = orr_csv_need(csv, "utc_offset_h", b->problems), pue = orr_csv_need(csv, "pue", b->problems);
    int carbon = orr_csv_need(csv, "grid_gco2_per_kwh", b->problems), price = orr_csv_need(csv, "electricity_yuan_per_kwh", b->problems);
    int hours = orr_csv_column(csv, "grid_hours");
    for (size_t r = 0; r < orr_csv_rows(csv); r++) {
        orr_site_info *s = add_site(b, orr_keep(b, orr_csv_cell(csv, r, id)), kept_where(b, orr_csv_where(csv, r, id)));
        s->name = orr_keep(b, orr_csv_cell(csv, r, orr_csv_column(csv, "name")));
        s->country = orr_keep(b, orr_csv_cell(csv, r, orr_csv_need(csv, "country", b->problems)));
        s->region = orr_keep(b, orr_csv_cell(csv, r, orr_csv_column(csv, "region")));
        s->macro_region = orr_keep(b, orr_csv_cell(csv, r, orr_csv_column(csv, "macro_region")));
        uint32_t k = 0;
        while (k < sizeof kind_words / sizeof *kind_words && strcmp(kind_words[k], orr_csv_cell(csv, r, kind)) != 0)
            k++;
        if (k == sizeof kind_words / sizeof *kind_words) {
            const char *near = orr_nearest(orr_csv_cell(csv, r, kind), kind_words, k);
            orr_problem(b->problems, orr_csv_where(csv, r, kind), "kind: unknown `%s`%s%s", orr_csv_cell(csv, r, kind), near ? ", did you mean " : "", near ? near : "");
            k = ORR_SITE_TRANSIT;
        }
        s->kind = (orr_site_kind)k;
        s->latitude = orr_csv_number(csv, r, lat, -90, 90, NAN, b->problems);
        s->longitude = orr_csv_number(csv, r, lon, -180, 180, NAN, b->problems);
        s->population = orr_csv_number(csv, r, population, 0, 1e11, 0, b->problems);
        s->utc_offset_s = (int32_t)lround(3600 * orr_csv_number(csv, r, offset, -12, 14, NAN, b->problems));
        s->pue = orr_csv_number(csv, r, pue, 1, 3, NAN, b->problems);
        s->pue_fixed_share = orr_csv_number(csv, r, orr_csv_column(csv, "pue_fixed_share"), 0, 1, 0, b->problems);
        s->grid_hours = b->grid_hours.count == 0 ? ORR_NONE : hours_of(b, orr_csv_cell(csv, r, hours), orr_csv_where(csv, r, hours));
        s->carbon_g_per_kwh = orr_csv_number(csv, r, carbon, 0, 2000, NAN, b->problems);
        s->electricity_yuan_per_kwh = orr_csv_number(csv, r, price, 0, 10, NAN, b->problems);
        orr_note_origin(b, csv, r, "sites", s->id);
    }
    orr_csv_destroy(csv);
}

static void inline_sites(orr_builder *b)
{
    const orr_node *list = orr_node_get(b->root, "sites");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const orr_node *n = list->child[i];
        if (!orr_has(n, "id"))
            continue;
        orr_site_info *s = add_site(b, orr_text(n, "id"), orr_where_of(n, "id"));
        s->name = orr_has(n, "name") && *orr_text(n, "name") ? orr_text(n, "name") : s->id;
        s->country = orr_text(n, "country");
        s->region = orr_has(n, "region") ? orr_text(n, "region") : "";
        s->macro_region = orr_text(n, "macro_region");
        s->kind = (orr_site_kind)orr_integer(n, "kind");
        s->latitude = orr_number(n, "latitude");
        s->longitude = orr_number(n, "longitude");
        s->population = orr_number(n, "population");
        s->utc_offset_s = (int32_t)lround(3600 * orr_number(n, "utc_offset"));
        s->pue = orr_number(n, "pue");
        s->pue_fixed_share = orr_number(n, "pue_fixed_share");
        s->grid_hours = orr_has(n, "grid_hours") ? hours_of(b, orr_text(n, "grid_hours"), orr_where_of(n, "grid_hours")) : ORR_NONE;
        s->carbon_g_per_kwh = orr_number(n, "grid_carbon");
        s->electricity_yuan_per_kwh = orr_number(n, "electricity");
    }
}

/* Light in fibre covers at most 204 km per ms: a link shorter than the great circle would be faster than light. */
static void check_link(orr_builder *b, const orr_link *l)
{
    const orr_site_info *s = b->sites.items, *x = &s[l->a], *y = &s[l->b];
    if (l->a == l->b)
        orr_problem(b->problems, l->where, "a link from `%s` to itself", x->id);
    double floor_km = orr_great_circle_km(x->latitude, x->longitude, y->latitude, y->longitude);
    if (l->delay_ns / 1e6 < floor_km / 204 * 0.9999)
        orr_problem(b->problems, l->where, "the link %s-%s takes %.3f ms for a great-circle distance of %.0f km: faster than light in fibre (204 km/ms)", x->id, y->id,
                    (double)l->delay_ns / 1e6, floor_km);
}

static void add_link(orr_builder *b, const char *a_id, const char *b_id, orr_where a_at, orr_where b_at, orr_link link)
{
    link.a = orr_find(b, &b->sites, a_id, "site", a_at);
    link.b = orr_find(b, &b->sites, b_id, "site", b_at);
    if (link.a == ORR_NONE || link.b == ORR_NONE)
        return;
    link.where = kept_where(b, a_at);
    check_link(b, &link);
    *(orr_link *)orr_append(b, &b->links) = link;
}

static int64_t fibre_ns(const orr_builder *b, double km) { return llround(km * b->world->fibre_ns_per_km); }

/* Of links that have none of their own. */
static double transport_price(const orr_builder *b)
{
    const orr_node *network = orr_node_get(b->root, "network");
    return network != NULL && orr_has(network, "transport_price") ? orr_number(network, "transport_price") : NAN;
}

static void catalogue_links(orr_builder *b)
{
    orr_csv *csv = orr_open_catalogue(b, "links");
    if (csv == NULL)
        return;
    int a = orr_csv_need(csv, "a", b->problems), z = orr_csv_need(csv, "b", b->problems), km = orr_csv_need(csv, "km", b->problems);
    int capacity = orr_csv_need(csv, "capacity_gbps", b->problems), kind = orr_csv_column(csv, "kind");
    for (size_t r = 0; r < orr_csv_rows(csv); r++) {
        orr_link l = {.km = orr_csv_number(csv, r, km, 0, 50000, NAN, b->problems), .transport_price = transport_price(b)};
        l.capacity_bit_s = 1e9 * orr_csv_number(csv, r, capacity, 1e-9, 1e9, NAN, b->problems);
        l.submarine = strcmp(orr_csv_cell(csv, r, kind), "submarine") == 0;
        if (isnan(l.km) || isnan(l.capacity_bit_s))
            continue;
        l.delay_ns = fibre_ns(b, l.km);
        add_link(b, orr_csv_cell(csv, r, a), orr_csv_cell(csv, r, z), orr_csv_where(csv, r, a), orr_csv_where(csv, r, z), l);
        char name[160];
        snprintf(name, sizeof name, "%s-%s", orr_csv_cell(csv, r, a), orr_csv_cell(csv, r, z));
        orr_note_origin(b, csv, r, "links", name);
    }
    orr_csv_destroy(csv);
}

static void inline_links(orr_builder *b)
{
    const orr_node *list = orr_node_get(b->root, "links");
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const orr_node *n = list->child[i];
        if (!orr_has(n, "a") || !orr_has(n, "b"))
            continue;
        orr_link l = {.capacity_bit_s = orr_number(n, "capacity"), .transport_price = orr_has(n, "transport_price") ? orr_number(n, "transport_price") : transport_price(b)};
        if (orr_has(n, "distance"))
            l.km = orr_number(n, "distance");
        if (orr_has(n, "delay"))
            l.delay_ns = orr_integer(n, "delay");
        else if (orr_has(n, "distance"))
            l.delay_ns = fibre_ns(b, l.km);
        else
            orr_problem(b->problems, n->where, "a link needs `distance` or `delay`");
        add_link(b, orr_text(n, "a"), orr_text(n, "b"), orr_where_of(n, "a"), orr_where_of(n, "b"), l);
    }
}

void orr_build_places(orr_builder *b)
{
    catalogue_sites(b);
    inline_sites(b);
    catalogue_links(b);
    inline_links(b);
}
