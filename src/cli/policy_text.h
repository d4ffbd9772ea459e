/** The built-in policies as text, for a terminal and as a page. */
#ifndef ORRERY_CLI_POLICY_TEXT_H
#define ORRERY_CLI_POLICY_TEXT_H

void orr_print_policies(void);
void orr_print_policies_markdown(void);

#endif
