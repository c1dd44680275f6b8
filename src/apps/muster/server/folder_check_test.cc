#include "apps/muster/server/folder_check.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "raft/record_log.h"
#include "raft/vote_file.h"
#include "roles/node/view_codec.h"
#include "roles/session/roster_codec.h"
#include "runtime/disk/files.h"

namespace muster::cli {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;

// `bytes` with this format at byte 8, and a checksum at `crc_at` that fits: of what stands before
// it and, when it stands at the end of the head, of `rest` behind it.
std::string of_format(std::string bytes, char format, std::size_t crc_at, bool and_rest = false) {
    bytes[11] = format;
    const std::string head = bytes.substr(0, crc_at);
    std::uint32_t crc = crc32c(head);
    crc = and_rest ? crc32c(bytes.substr(crc_at + 4), crc) : crc;
    std::string field;
    append_big_endian(field, crc);
    return bytes.replace(crc_at, 4, field);
}

class FolderCheck : public testing::Test {
protected:
    FolderCheck() {
        std::string name = (fs::temp_directory_path() / "muster-check-XXXXXX").string();
        root = ::mkdtemp(name.data());
        folder.emplace(*runtime::DataFolder::open(root));
    }
    ~FolderCheck() override {
        fs::remove_all(root);
    }
    void put(const std::string& name, const std::string& bytes) {
        fs::create_directories((root / name).parent_path());
        std::ofstream(root / name, std::ios::binary) << bytes;
    }
    std::map<std::string, std::string> files() {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(root)) {
            if (entry.is_regular_file()) {
                all[entry.path().string()] = *runtime::read_file(entry.path());
            }
        }
        return all;
    }

    fs::path root;
    std::optional<runtime::DataFolder> folder;
    std::map<std::string, std::string> ours{
        {"meta/log-0000000000000003.mlog",
         raft::encode_segment_header(
             {.sequence = 3, .first = raft::LogIndex(1), .term = raft::Term(1)})},
        {"meta/snapshot-0000000000000001.msnap",
         raft::encode_snapshot(raft::LogIndex(1), raft::Term(1), "state")},
        {"meta/vote-a.mvote",
         raft::encode_vote_file({.written = 1, .cluster = 2, .node = NodeId("m1")})},
        {"data/cluster.mview", node::encode_view({})},
        {"session/cluster.mview", node::encode_view({})},
        {"session/return.mroster", session::encode_roster_header({.boot = 1, .incarnation = 2})},
        {"history/0000000000000001.history", "MHB1 and so on"},
    };
};

TEST_F(FolderCheck, PassesWhatThisReleaseWrites) {
    EXPECT_TRUE(check_formats(*folder, true)) << "an empty folder";
    for (const auto& [name, bytes] : ours) {
        put(name, bytes);
    }
    put("meta/reserve-0.mres", "MUSTLOG\n of nothing");
    put("session/other", "of somebody else");
    const auto checked = check_formats(*folder, true);
    EXPECT_TRUE(checked) << to_string(checked.error());
}

TEST_F(FolderCheck, RefusesEachFileOfAnotherFormatAndChangesNothing) {
    std::map<std::string, std::string> newer = ours;
    for (auto& [name, bytes] : newer) {
        if (name.ends_with(".history")) {
            bytes[3] = '2';
        } else if (name.ends_with(".mview")) {
            bytes = of_format(bytes, 9, 12, true);
        } else if (name.ends_with(".mroster")) {
            bytes = of_format(bytes, 9, 28);
        } else {
            bytes = of_format(bytes, 9, name.ends_with(".mvote") ? bytes.size() - 4 : 36);
        }
    }
    for (const auto& [name, bytes] : newer) {
        put(name, bytes + (name.ends_with(".mlog") ? "what stands behind the header" : ""));
        const auto before = files();
        const auto checked = check_formats(*folder, true);
        ASSERT_FALSE(checked) << name;
        EXPECT_EQ(checked.error().code, Errc::conflict);
        EXPECT_THAT(checked.error().detail,
                    HasSubstr((root / name).string() + ": written in " +
                              (name.ends_with(".history") ? "another format" : "format 9") +
                              " by another release, this one reads "));
        EXPECT_THAT(checked.error().detail,
                    EndsWith("; nothing in the data folder was changed. Start the release that "
                             "wrote it, or begin with an empty folder (--set data_dir=FOLDER): a "
                             "node does that when it lost its folder, see 'The data folder' in "
                             "docs/operating/cluster.md"));
        EXPECT_THAT(check_formats(*folder, false).error().detail,
                    EndsWith("(--set data_dir=FOLDER): its clients register again by themselves, "
                             "configuration values are lost"));
        EXPECT_EQ(files(), before);
        put(name, ours.at(name));
        EXPECT_TRUE(check_formats(*folder, true)) << name;
    }
}

TEST_F(FolderCheck, LeavesWhatIsDamagedToWhoReadsIt) {
    for (const auto& [name, bytes] : ours) {
        std::string damaged = bytes;
        damaged[name.ends_with(".history") ? 1 : 11] = 9;  // the format, but no checksum fits
        put(name, damaged);
        EXPECT_TRUE(check_formats(*folder, true)) << name;
        put(name, bytes.substr(0, 3));
        EXPECT_TRUE(check_formats(*folder, true)) << name;
    }
}

}  // namespace
}  // namespace muster::cli
