#ifndef C_PROCESS_RUNNER_H
#define C_PROCESS_RUNNER_H

#include <spawn.h>

/// Two calls that glibc declares only under _GNU_SOURCE, which Swift's Glibc module is built without.

/// Creates a pipe whose ends are closed on exec, on Linux without a moment in which they are not.
/// Returns 0, or -1 with errno set.
int cprocessrunner_pipe(int descriptors[2]);

/// Makes the child enter `path` before it executes its program. Returns 0 or an error number.
int cprocessrunner_add_chdir(posix_spawn_file_actions_t *actions, const char *path);

#endif
