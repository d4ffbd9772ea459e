/** Study input: a study as an argument of `report`, `compare` and `status`: its file, or the folder of its results. */
#ifndef ORRERY_CLI_STUDY_INPUT_H
#define ORRERY_CLI_STUDY_INPUT_H

#include "study/results.h"

/** True for a YAML file or a folder. */
bool orr_cli_is_study(const char *path);

/** Opens the campaign for reading, as it was started; that of a file is in out/NAME. False with problems. */
bool orr_cli_open_study(const char *path, orr_campaign *campaign, orr_problems *problems);

/** The data of a study's page, by another baseline (NULL: no) and level (NaN: no) than its file's; in *page (malloced) FOLDER/study.html. NULL with problems. */
cJSON *orr_cli_study_data(const char *path, const char *baseline, double level, char **page, orr_problems *problems);

#endif
