#include "runtime/history/file_folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "runtime/disk/files.h"
#include "runtime/loop/fd.h"

namespace muster::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLeftAtMost = std::uint64_t{1} << 30U;
constexpr std::uint64_t kLeftPart = 20;

std::unexpected<Error> failure(std::string_view what, const fs::path& file) {
    const int error_number = errno;
    const Errc code = error_number == ENOENT ? Errc::not_found : Errc::io_error;
    return fail(code, std::string(what) + " " + file.string() + ": " + std::strerror(error_number));
}

Fd open_file(const fs::path& file, int flags) {
    return Fd(::open(file.c_str(), flags | O_CLOEXEC, 0640));
}

}  // namespace

Result<std::vector<history::Folder::File>> FileFolder::list() {
    const auto names = list_files(path_);
    MUSTER_TRY(names);
    std::vector<File> files;
    for (const std::string& name : *names) {
        struct stat status{};
        if (::stat((path_ / name).c_str(), &status) == 0) {
            files.push_back({.name = name, .bytes = static_cast<std::uint64_t>(status.st_size)});
        }
    }
    return files;
}

Result<std::string> FileFolder::read(std::string_view name, std::uint64_t offset,
                                     std::size_t bytes_max) {
    const fs::path file = path_ / name;
    const Fd fd = open_file(file, O_RDONLY);
    struct stat status{};
    if (!fd.valid() || ::fstat(fd.raw(), &status) != 0) {
        return failure("open", file);
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    std::string bytes(std::min<std::uint64_t>(size - std::min(size, offset), bytes_max), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
        const ssize_t got = ::pread(fd.raw(), bytes.data() + have, bytes.size() - have,
                                    static_cast<off_t>(offset + have));
        if (got < 0 && errno != EINTR) {
            return failure("read", file);
        }
        if (got == 0) {
            bytes.resize(have);  // it was cut meanwhile
        }
        have += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    return bytes;
}

Result<void> FileFolder::append(std::string_view name, std::string_view bytes) {
    const fs::path file = path_ / name;
    Fd fd = open_file(file, O_WRONLY | O_APPEND | O_CREAT);
    if (!fd.valid() && errno == ENOENT) {
        MUSTER_TRY(make_folder_durably(path_));
        fd = open_file(file, O_WRONLY | O_APPEND | O_CREAT);
    }
    struct stat before{};
    if (!fd.valid() || ::fstat(fd.raw(), &before) != 0) {
        return failure("open", file);
    }
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd.raw(), bytes.data(), bytes.size());
        if (size < 0 && errno != EINTR) {
            const auto why = failure("write", file);
            // What stays is torn, and passed over by who reads it.
            [[maybe_unused]] const int cut = ::ftruncate(fd.raw(), before.st_size);
            return why;
        }
        bytes.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return {};
}

Result<void> FileFolder::sync(std::string_view name) {
    const fs::path file = path_ / name;
    const Fd fd = open_file(file, O_WRONLY);
    if (!fd.valid() || ::fdatasync(fd.raw()) != 0) {
        return failure("sync", file);
    }
    return {};
}

// Not durably: one that comes back after a loss of power is an old segment, and goes again.
Result<void> FileFolder::remove(std::string_view name) {
    const fs::path file = path_ / name;
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) {
        return failure("remove", file);
    }
    return {};
}

// What cannot be told is not in the way.
std::uint64_t FileFolder::spare_bytes() {
    struct statvfs status{};
    if (::statvfs(path_.c_str(), &status) != 0 &&
        ::statvfs(path_.parent_path().c_str(), &status) != 0) {
        return UINT64_MAX;
    }
    const std::uint64_t whole = std::uint64_t{status.f_blocks} * status.f_frsize;
    const std::uint64_t free = std::uint64_t{status.f_bavail} * status.f_frsize;
    return free - std::min(free, std::min(whole / kLeftPart, kLeftAtMost));
}

}  // namespace muster::runtime
