#pragma once

#include <string>

#include "base/result.h"
#include "runtime/disk/data_folder.h"

namespace muster::cli {

// Refuses a data folder with a file that another release wrote in a format this one does not read,
// so that nothing is written over it. To be asked before anything in the folder is changed. Looks
// at the heads of logs, snapshots and histories and at the whole of small files; one that is
// damaged is left to who reads it. Errors: conflict (names the file, both formats and what to do),
// io_error.
[[nodiscard]] Result<void> check_formats(const runtime::DataFolder& folder, bool clustered);

// What an operator can do about such a file.
[[nodiscard]] std::string advice_on_other_release(bool clustered);

}  // namespace muster::cli
