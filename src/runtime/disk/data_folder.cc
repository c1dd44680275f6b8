#include "runtime/disk/data_folder.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/file.h>

#include "runtime/disk/files.h"

namespace muster::runtime {
namespace {

constexpr std::string_view kLockName = "LOCK";

std::string_view without_newline(std::string_view text) {
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace

Result<DataFolder> DataFolder::open(const std::filesystem::path& path) {
    if (auto made = make_folder_durably(path); !made) {
        Error error = std::move(made).error();
        error.code = Errc::io_error;
        error.detail += "; choose another data folder with --set data_dir=FOLDER";
        return wrap("data folder", std::move(error));
    }
    const auto file = path / kLockName;
    Fd lock(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    if (!lock.valid()) {
        return fail(Errc::io_error, "data folder: open " + file.string() + ": " +
                                        std::strerror(errno) +
                                        "; choose another with --set data_dir=FOLDER");
    }
    if (::flock(lock.raw(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return fail(Errc::io_error,
                        "data folder: lock " + file.string() + ": " + std::strerror(errno));
        }
        const std::string owner = read_file(file).value_or("");
        const std::string_view pid = without_newline(owner);
        return fail(Errc::conflict,
                    "data folder " + path.string() + " is in use by another process" +
                        (pid.empty() ? std::string() : " (pid " + std::string(pid) + ")") +
                        "; stop that one, or choose another folder with --set data_dir=FOLDER");
    }
    // For people only: the lock is the kernel's.
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.raw(), 0) != 0 ||
        ::pwrite(lock.raw(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        return fail(Errc::io_error,
                    "data folder: write " + file.string() + ": " + std::strerror(errno));
    }
    return DataFolder(path, std::move(lock));
}

}  // namespace muster::runtime
