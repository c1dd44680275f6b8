#include "apps/muster/server/folder_check.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <fcntl.h>

#include "history/segment.h"
#include "raft/record_log.h"
#include "raft/vote_file.h"
#include "roles/node/view_codec.h"
#include "roles/session/roster_codec.h"
#include "runtime/disk/files.h"
#include "runtime/loop/fd.h"

namespace muster::cli {
namespace {

namespace fs = std::filesystem;

// More than a view of the most members and slots that are allowed takes.
constexpr std::size_t kWholeFile = std::size_t{256} << 20U;

// Files of one kind, and how their format is told from so many of their first bytes. What `check`
// says but `refused` is not looked at.
struct FileKind {
    std::string_view folder;
    std::string_view prefix;
    std::string_view suffix;
    std::size_t bytes = 0;
    Result<void> (*check)(std::string_view bytes) = nullptr;
};

template <auto decode>
Result<void> check_with(std::string_view bytes) {
    auto decoded = decode(bytes);
    return decoded ? Result<void>() : std::unexpected(std::move(decoded).error());
}

constexpr std::array kKinds{
    FileKind{"meta", "log-", ".mlog", raft::kSegmentHeaderBytes, check_with<raft::scan_segment>},
    FileKind{"meta", "snapshot-", ".msnap", raft::kSnapshotHeaderBytes,
             check_with<raft::decode_snapshot>},
    FileKind{"meta", "vote-", ".mvote", kWholeFile, check_with<raft::decode_vote_file>},
    FileKind{"data", "cluster", ".mview", kWholeFile, check_with<node::decode_view>},
    FileKind{"session", "cluster", ".mview", kWholeFile, check_with<node::decode_view>},
    FileKind{"session", "return", ".mroster", session::kRosterHeaderBytes,
             check_with<session::decode_roster>},
    FileKind{"history", "", ".history", history::kMagicBytes, history::check_segment_format},
};

Result<std::string> read_head(const fs::path& file, std::size_t bytes) {
    const runtime::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    std::string head;
    for (ssize_t got = fd.valid() ? 1 : -1; got > 0 && head.size() < bytes;) {
        constexpr std::size_t kChunk = 64 << 10U;
        const std::size_t before = head.size();
        head.resize(before + std::min(kChunk, bytes - before));
        got = ::read(fd.raw(), head.data() + before, head.size() - before);
        head.resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
        if (got < 0) {
            return fail(Errc::io_error, "read " + file.string() + ": " + std::strerror(errno));
        }
    }
    return fd.valid() ? Result<std::string>(std::move(head))
                      : fail(Errc::io_error, "open " + file.string() + ": " + std::strerror(errno));
}

Result<void> check(const fs::path& root, const FileKind& kind, const std::string& name,
                   bool clustered) {
    const fs::path file = root / kind.folder / name;
    const auto head = read_head(file, kind.bytes);
    MUSTER_TRY(head);
    const auto checked = kind.check(*head);
    if (checked || checked.error().code != Errc::refused) {
        return {};
    }
    return fail(Errc::conflict, file.string() + ": " + checked.error().detail +
                                    "; nothing in the data folder was changed. " +
                                    advice_on_other_release(clustered));
}

}  // namespace

std::string advice_on_other_release(bool clustered) {
    const std::string_view then =
        clustered ? ": a node does that when it lost its folder, see 'The data folder' in "
                    "docs/operating/cluster.md"
                  : ": its clients register again by themselves, configuration values are lost";
    return "Start the release that wrote it, or begin with an empty folder (--set "
           "data_dir=FOLDER)" +
           std::string(then);
}

Result<void> check_formats(const runtime::DataFolder& folder, bool clustered) {
    for (const FileKind& kind : kKinds) {
        const auto names = runtime::list_files(folder.path() / kind.folder);
        MUSTER_TRY(names);
        for (const std::string& name : *names) {
            if (name.starts_with(kind.prefix) && name.ends_with(kind.suffix)) {
                MUSTER_TRY(check(folder.path(), kind, name, clustered));
            }
        }
    }
    return {};
}

}  // namespace muster::cli
