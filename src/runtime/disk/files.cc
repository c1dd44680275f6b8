#include "runtime/disk/files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "runtime/loop/fd.h"

namespace muster::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporarySuffix = ".replacing";
constexpr std::size_t kReadChunk = 256 * 1024;

std::unexpected<Error> failure(std::string_view what, const fs::path& file) {
    const int error_number = errno;
    const Errc code = error_number == ENOENT ? Errc::not_found : Errc::io_error;
    return fail(code, std::string(what) + " " + file.string() + ": " + std::strerror(error_number));
}

Fd open_file(const fs::path& file, int flags) {
    return Fd(::open(file.c_str(), flags | O_CLOEXEC, 0640));
}

Result<void> write_all(const Fd& fd, std::string_view bytes, const fs::path& file) {
    while (!bytes.empty()) {
        const ssize_t size = ::write(fd.raw(), bytes.data(), bytes.size());
        if (size < 0 && errno != EINTR) {
            return failure("write", file);
        }
        bytes.remove_prefix(size > 0 ? static_cast<std::size_t>(size) : 0);
    }
    return {};
}

Result<void> sync_folder(const fs::path& folder) {
    const Fd fd = open_file(folder, O_RDONLY | O_DIRECTORY);
    if (!fd.valid() || ::fsync(fd.raw()) != 0) {
        return failure("sync folder", folder);
    }
    return {};
}

}  // namespace

Result<fs::path> path_below(const fs::path& folder, std::string_view path) {
    const auto refuse = [&] {
        return fail(Errc::invalid_argument,
                    "'" + std::string(path) + "' is not a path within the data folder");
    };
    if (path.empty() || path.find('\0') != std::string_view::npos ||
        path.ends_with(kTemporarySuffix)) {
        return refuse();
    }
    std::string_view rest = path;
    for (;;) {
        const auto slash = rest.find('/');
        const std::string_view part = rest.substr(0, slash);
        if (part.empty() || part == "." || part == "..") {
            return refuse();
        }
        if (slash == std::string_view::npos) {
            return folder / path;
        }
        rest.remove_prefix(slash + 1);
    }
}

Result<std::string> read_file(const fs::path& file) {
    const Fd fd = open_file(file, O_RDONLY);
    if (!fd.valid()) {
        return failure("open", file);
    }
    std::string all;
    for (;;) {
        const std::size_t have = all.size();
        all.resize(have + kReadChunk);
        const ssize_t size = ::read(fd.raw(), all.data() + have, kReadChunk);
        if (size < 0 && errno != EINTR) {
            return failure("read", file);
        }
        all.resize(have + (size > 0 ? static_cast<std::size_t>(size) : 0));
        if (size == 0) {
            return all;
        }
    }
}

Result<std::string> read_file_part(const fs::path& file, std::uint64_t offset,
                                   std::size_t bytes_max) {
    const Fd fd = open_file(file, O_RDONLY);
    if (!fd.valid()) {
        return failure("open", file);
    }
    const auto from = static_cast<off_t>(offset);
    (void)::posix_fadvise(fd.raw(), from, static_cast<off_t>(bytes_max), POSIX_FADV_DONTNEED);
    std::string part(bytes_max, '\0');
    std::size_t have = 0;
    while (have < bytes_max) {
        const ssize_t size = ::pread(fd.raw(), part.data() + have, bytes_max - have,
                                     from + static_cast<off_t>(have));
        if (size < 0 && errno != EINTR) {
            return failure("read", file);
        }
        if (size == 0) {
            break;
        }
        have += size > 0 ? static_cast<std::size_t>(size) : 0;
    }
    part.resize(have);
    return part;
}

Result<std::vector<std::string>> list_files(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        const std::string name = entries->path().filename().string();
        std::error_code type_error;
        if (entries->is_regular_file(type_error) && !name.ends_with(kTemporarySuffix)) {
            names.push_back(name);
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return fail(Errc::io_error, "list " + folder.string() + ": " + error.message());
    }
    std::ranges::sort(names);
    return names;
}

Result<void> make_folder_durably(const fs::path& folder) {
    if (folder.empty() || ::mkdir(folder.c_str(), 0750) == 0) {
        return folder.empty() ? Result<void>{}
                              : sync_folder(folder.has_parent_path() ? folder.parent_path() : ".");
    }
    if (errno == EEXIST) {
        struct stat status{};
        if (::stat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
            return {};
        }
        errno = ENOTDIR;
        return failure("make folder", folder);
    }
    if (errno != ENOENT || !folder.has_parent_path() || folder.parent_path() == folder) {
        return failure("make folder", folder);
    }
    MUSTER_TRY(make_folder_durably(folder.parent_path()));
    if (::mkdir(folder.c_str(), 0750) != 0) {
        return failure("make folder", folder);
    }
    return sync_folder(folder.parent_path());
}

Result<void> append_durably(const fs::path& file, const std::vector<std::string_view>& parts) {
    Fd fd = open_file(file, O_WRONLY | O_APPEND);
    const bool is_new = !fd.valid() && errno == ENOENT;
    if (is_new) {
        MUSTER_TRY(make_folder_durably(file.parent_path()));
        fd = open_file(file, O_WRONLY | O_APPEND | O_CREAT);
    }
    if (!fd.valid()) {
        return failure("open", file);
    }
    struct stat before{};
    if (::fstat(fd.raw(), &before) != 0) {
        return failure("stat", file);
    }
    Result<void> outcome;
    for (const std::string_view part : parts) {
        outcome = write_all(fd, part, file);
        if (!outcome) {
            break;
        }
    }
    if (outcome && ::fdatasync(fd.raw()) != 0) {
        outcome = failure("sync", file);
    }
    if (!outcome) {
        if (::ftruncate(fd.raw(), before.st_size) == 0) {
            ::fdatasync(fd.raw());
        }
        return outcome;
    }
    return is_new ? sync_folder(file.parent_path()) : outcome;
}

Result<void> replace_durably(const fs::path& file, std::string_view bytes) {
    fs::path temporary = file;
    temporary += kTemporarySuffix;
    Fd fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!fd.valid() && errno == ENOENT) {
        MUSTER_TRY(make_folder_durably(file.parent_path()));
        fd = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    }
    if (!fd.valid()) {
        return failure("open", temporary);
    }
    Result<void> written = write_all(fd, bytes, temporary);
    if (written && ::fdatasync(fd.raw()) != 0) {
        written = failure("sync", temporary);
    }
    if (!written) {
        ::unlink(temporary.c_str());  // on a full disk every byte counts
        return written;
    }
    if (::rename(temporary.c_str(), file.c_str()) != 0) {
        return failure("rename to", file);
    }
    return sync_folder(file.parent_path());
}

Result<void> remove_durably(const fs::path& file) {
    if (::unlink(file.c_str()) != 0) {
        if (errno == ENOENT) {
            return {};
        }
        return failure("remove", file);
    }
    return sync_folder(file.parent_path());
}

}  // namespace muster::runtime
