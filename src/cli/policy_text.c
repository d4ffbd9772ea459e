#include "cli/policy_text.h"

#include "cli/columns.h"
#include "policies/policies.h"

#include <stdio.h>

void orr_print_policies(void)
{
    size_t count;
    const orr_policy *const *all = orr_policies(&count);
    for (size_t i = 0; i < count; i++) {
        printf("%s\n", all[i]->name);
        orr_print_wrapped(all[i]->summary, 4, 100);
        for (uint32_t o = 0; o < all[i]->option_count; o++) {
            const orr_policy_option *option = &all[i]->options[o];
            printf("    option %s: %s (default %g, from %g to %g)\n", option->name, option->meaning, option->fallback, option->low, option->high);
        }
    }
}

void orr_print_policies_markdown(void)
{
    size_t count;
    const orr_policy *const *all = orr_policies(&count);
    printf("# Policies\n\nWho chooses the pool: `policy.name` in a scenario, or `orrery run --policy NAME`. A path to a shared object takes its place\n"
           "(`include/orrery/policy.h`).\n");
    for (size_t i = 0; i < count; i++) {
        printf("\n## `%s`\n\n%s\n", all[i]->name, all[i]->summary);
        if (all[i]->option_count > 0)
            printf("\n| option | default | range | meaning |\n|---|---|---|---|\n");
        for (uint32_t o = 0; o < all[i]->option_count; o++) {
            const orr_policy_option *option = &all[i]->options[o];
            printf("| `%s` | %g | %g to %g | %s |\n", option->name, option->fallback, option->low, option->high, option->meaning);
        }
    }
}
