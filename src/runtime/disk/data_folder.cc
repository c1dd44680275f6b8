#include "runtime/disk/data_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>

#include "runtime/disk/files.h"

namespace muster::runtime {
namespace {

constexpr std::string_view kLockName = "LOCK";
constexpr std::string_view kIncarnationName = "incarnation";
constexpr std::string_view kNodeIdName = "node_id";
constexpr std::size_t kNodeIdMax = 128;

std::string_view without_newline(std::string_view text) {
    if (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    return text;
}

bool is_node_id(std::string_view text) {
    return !text.empty() && text.size() <= kNodeIdMax &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
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

Result<Incarnation> next_incarnation(const DataFolder& folder) {
    const auto file = folder.path() / kIncarnationName;
    std::uint64_t last = 0;
    if (const auto text = read_file(file)) {
        const std::string_view digits = without_newline(*text);
        const auto [end, error] = std::from_chars(digits.begin(), digits.end(), last);
        if (error != std::errc{} || end != digits.end() ||
            last == std::numeric_limits<std::uint64_t>::max()) {
            return fail(
                Errc::corrupt,
                file.string() + " should hold the number of the last start and nothing else");
        }
    } else if (text.error().code != Errc::not_found) {
        return std::unexpected(text.error());
    }
    MUSTER_TRY(replace_durably(file, std::to_string(last + 1) + "\n"));
    return Incarnation(last + 1);
}

Result<NodeId> stable_node_id(const DataFolder& folder) {
    const auto file = folder.path() / kNodeIdName;
    const auto text = read_file(file);
    if (text) {
        const std::string_view name = without_newline(*text);
        if (!is_node_id(name)) {
            return fail(Errc::corrupt, file.string() + " should hold the name of this node: 1 to " +
                                           std::to_string(kNodeIdMax) +
                                           " visible ASCII characters");
        }
        return NodeId(std::string(name));
    }
    if (text.error().code != Errc::not_found) {
        return std::unexpected(text.error());
    }
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
        return fail(Errc::io_error, std::string("getrandom: ") + std::strerror(errno));
    }
    std::array<char, 16> digits{};
    const auto [end, error] =
        std::to_chars(digits.data(), digits.data() + digits.size(), random, 16);
    const std::string name = "node-" + std::string(digits.data(), end);
    MUSTER_TRY(replace_durably(file, name + "\n"));
    return NodeId(name);
}

}  // namespace muster::runtime
