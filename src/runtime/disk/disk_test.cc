#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/disk/data_folder.h"
#include "runtime/disk/file_disk.h"
#include "runtime/disk/files.h"
#include "runtime/disk/folder_owner.h"

// What reaches the disk, in order: the system calls that make things durable are seen on their way.
namespace {

std::mutex sync_mutex;
std::vector<std::string> sync_log;

void note(const std::string& what) {
    const std::lock_guard lock(sync_mutex);
    sync_log.push_back(what);
}

std::string name_of(int fd) {
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    return path.filename().string();
}

}  // namespace

extern "C" int fdatasync(int fd) {
    note("sync " + name_of(fd));
    return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

extern "C" int fsync(int fd) {
    note("sync folder");
    return static_cast<int>(::syscall(SYS_fsync, fd));
}

extern "C" int rename(const char* from, const char* to) noexcept {
    note("rename to " + std::filesystem::path(to).filename().string());
    return static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}

namespace muster::runtime {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DiskTest : public testing::Test, public env::DiskTarget {
protected:
    DiskTest() {
        std::string name = (fs::temp_directory_path() / "muster-disk-XXXXXX").string();
        root = ::mkdtemp(name.data());
        loop = std::move(*Loop::create());
        auto opened = DataFolder::open(root / "data");
        EXPECT_TRUE(opened.has_value());
        folder.emplace(std::move(*opened));
    }
    ~DiskTest() override {
        fs::remove_all(root);
    }

    void on_read(env::DiskOpId op, const Result<std::string>& bytes) override {
        parts.push_back(bytes);
        on_disk(op, {});
    }
    void on_disk(env::DiskOpId op, const Result<void>& outcome) override {
        done.push_back(op.raw());
        outcomes.push_back(outcome);
        if (then) {
            then();
        }
        if (done.size() == expected) {
            loop->stop();
        }
    }

    std::unique_ptr<FileDisk> make_disk(FileDiskOptions options = {}) {
        auto disk = std::make_unique<FileDisk>(*loop, *folder, std::move(options));
        disk->bind(*this);
        return disk;
    }
    void run_until_done(std::size_t count) {
        expected = count;
        loop->run();
    }
    static std::vector<std::string> take_sync_log() {
        const std::lock_guard lock(sync_mutex);
        return std::exchange(sync_log, {});
    }

    fs::path root;
    std::unique_ptr<Loop> loop;
    std::optional<DataFolder> folder;
    std::vector<std::uint64_t> done;
    std::vector<Result<void>> outcomes;
    std::vector<Result<std::string>> parts;
    std::function<void()> then;
    std::size_t expected = 0;
};

TEST_F(DiskTest, ReadsAPartInItsTurnAmongTheWrites) {
    const auto disk = make_disk();
    disk->append(env::DiskOpId(1), "log", "0123456789");
    disk->read_part(env::DiskOpId(2), "log", 3, 4);
    disk->append(env::DiskOpId(3), "log", "abc");
    disk->read_part(env::DiskOpId(4), "log", 8, 100);
    disk->read_part(env::DiskOpId(5), "log", 50, 4);
    disk->remove(env::DiskOpId(6), "log");
    disk->read_part(env::DiskOpId(7), "log", 0, 4);
    disk->read_part(env::DiskOpId(8), "../log", 0, 4);
    EXPECT_TRUE(done.empty());
    run_until_done(8);
    EXPECT_EQ(done, (std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8}));
    ASSERT_EQ(parts.size(), 5U);
    EXPECT_EQ(parts[0].value(), "3456");
    EXPECT_EQ(parts[1].value(), "89abc");
    EXPECT_EQ(parts[2].value(), "");
    EXPECT_EQ(parts[3].error().code, Errc::not_found);
    EXPECT_EQ(parts[4].error().code, Errc::invalid_argument);
}

TEST_F(DiskTest, ReportsInTheOrderOfTheCallsAndNeverFromWithinThem) {
    const auto disk = make_disk();
    std::string all;
    for (std::uint64_t i = 1; i <= 200; ++i) {
        const std::string record = "record " + std::to_string(i) + "\n";
        disk->append(env::DiskOpId(i), "log/0001", record);
        all += record;
        if (i % 50 == 0) {
            disk->replace(env::DiskOpId(1000 + i), "snapshot", "upto " + std::to_string(i));
        }
    }
    EXPECT_TRUE(done.empty());
    run_until_done(204);
    std::vector<std::uint64_t> in_order;
    for (std::uint64_t i = 1; i <= 200; ++i) {
        in_order.push_back(i);
        if (i % 50 == 0) {
            in_order.push_back(1000 + i);
        }
    }
    EXPECT_EQ(done, in_order);
    for (const auto& outcome : outcomes) {
        EXPECT_TRUE(outcome.has_value());
    }
    EXPECT_EQ(disk->read("log/0001"), all);
    EXPECT_EQ(disk->read("snapshot"), "upto 200");
    EXPECT_THAT(disk->list("log").value(), ElementsAre("0001"));
}

TEST_F(DiskTest, ReportsAnAppendOnlyAfterItAndItsNameAreSynced) {
    const auto disk = make_disk();
    take_sync_log();
    then = [&] { note("reported"); };
    disk->append(env::DiskOpId(1), "log", "a");
    run_until_done(1);
    EXPECT_THAT(take_sync_log(), ElementsAre("sync log", "sync folder", "reported"));
    disk->append(env::DiskOpId(2), "log", "b");
    run_until_done(2);
    EXPECT_THAT(take_sync_log(), ElementsAre("sync log", "reported"));
}

TEST_F(DiskTest, ReplacesByASyncedFileUnderANewName) {
    const auto disk = make_disk();
    disk->replace(env::DiskOpId(1), "state", "old");
    run_until_done(1);
    take_sync_log();
    then = [&] { note("reported"); };
    disk->replace(env::DiskOpId(2), "state", "new");
    run_until_done(2);
    EXPECT_THAT(take_sync_log(),
                ElementsAre("sync state.replacing", "rename to state", "sync folder", "reported"));
    EXPECT_EQ(disk->read("state"), "new");
}

TEST_F(DiskTest, SharesOneSyncAmongAppendsThatWaitTogether) {
    const auto disk = make_disk();
    take_sync_log();
    {
        const std::lock_guard held(sync_mutex);  // the first sync waits here
        for (std::uint64_t i = 1; i <= 1000; ++i) {
            disk->append(env::DiskOpId(i), "log", "x");
        }
    }
    run_until_done(1000);
    EXPECT_LE(take_sync_log().size(), 3U);  // two syncs, one of the folder
    EXPECT_EQ(disk->read("log"), std::string(1000, 'x'));
}

TEST_F(DiskTest, FindsNoHalfReplacedFileAfterACrash) {
    std::ofstream(root / "data" / "state") << "old";
    std::ofstream(root / "data" / "state.replacing") << "half of the ne";
    const auto disk = make_disk();
    EXPECT_EQ(disk->read("state"), "old");
    EXPECT_THAT(disk->list("").value(), ElementsAre("LOCK", "state"));
}

TEST_F(DiskTest, RemovesAndTakesMissingFilesForRemoved) {
    const auto disk = make_disk();
    disk->append(env::DiskOpId(1), "a", "x");
    disk->remove(env::DiskOpId(2), "a");
    disk->remove(env::DiskOpId(3), "never/was");
    run_until_done(3);
    EXPECT_TRUE(outcomes[1].has_value());
    EXPECT_TRUE(outcomes[2].has_value());
    EXPECT_EQ(disk->read("a").error().code, Errc::not_found);
    EXPECT_THAT(disk->list("never").value(), IsEmpty());
}

TEST_F(DiskTest, RefusesPathsOutsideTheDataFolder) {
    const auto disk = make_disk();
    std::uint64_t op = 0;
    for (const std::string& path :
         {std::string(), std::string("/etc/passwd"), std::string("../x"), std::string("a/../../x"),
          std::string("a//b"), std::string("./a"), std::string("a/"), std::string("a\0b", 3),
          std::string("a.replacing")}) {
        EXPECT_EQ(disk->read(path).error().code, Errc::invalid_argument) << path;
        disk->append(env::DiskOpId(++op), path, "x");
        disk->replace(env::DiskOpId(++op), path, "x");
        disk->remove(env::DiskOpId(++op), path);
    }
    run_until_done(op);
    for (const auto& outcome : outcomes) {
        EXPECT_EQ(outcome.error().code, Errc::invalid_argument);
    }
    EXPECT_FALSE(disk->list("../").has_value());
    EXPECT_FALSE(fs::exists(root / "x"));
}

TEST_F(DiskTest, RefusesWritesOverTheLimitInTheirTurn) {
    const auto disk = make_disk({.waiting_bytes_max = 10});
    disk->append(env::DiskOpId(1), "log", "12345678");
    disk->append(env::DiskOpId(2), "log", "9012345");
    run_until_done(2);
    EXPECT_THAT(done, ElementsAre(1, 2));
    EXPECT_TRUE(outcomes[0].has_value());
    EXPECT_EQ(outcomes[1].error().code, Errc::over_limit);
    disk->append(env::DiskOpId(3), "log", "90");
    run_until_done(3);
    EXPECT_EQ(disk->read("log"), "1234567890");
}

TEST_F(DiskTest, CarriesOutWhatWaitsWhenItIsDestroyed) {
    make_disk()->append(env::DiskOpId(1), "log", "last");
    EXPECT_EQ(make_disk()->read("log"), "last");
    EXPECT_TRUE(done.empty());
}

TEST_F(DiskTest, KeepsRolesApartInFoldersOfTheirOwn) {
    const auto disk = make_disk({.folder = "meta"});
    disk->append(env::DiskOpId(1), "log", "x");
    run_until_done(1);
    EXPECT_TRUE(fs::exists(root / "data" / "meta" / "log"));
}

TEST_F(DiskTest, CutsOffAFailedAppendAndRefusesLaterOnesUntilReplaced) {
    const auto disk = make_disk();
    disk->append(env::DiskOpId(1), "log", "good");
    run_until_done(1);
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{.rlim_cur = 6, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    disk->append(env::DiskOpId(2), "log", "too long");
    run_until_done(2);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(outcomes[1].error().code, Errc::io_error);
    EXPECT_EQ(disk->read("log"), "good");
    disk->append(env::DiskOpId(3), "log", "x");
    disk->replace(env::DiskOpId(4), "log", "fresh");
    disk->append(env::DiskOpId(5), "log", "er");
    run_until_done(5);
    EXPECT_EQ(outcomes[2].error().code, Errc::io_error);
    EXPECT_TRUE(outcomes[3].has_value());
    EXPECT_TRUE(outcomes[4].has_value());
    EXPECT_EQ(disk->read("log"), "fresher");
}

TEST_F(DiskTest, AFailedReplacementLeavesTheOldFileAndTakesNoSpace) {
    const auto disk = make_disk();
    disk->replace(env::DiskOpId(1), "state", "good");
    run_until_done(1);
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{.rlim_cur = 6, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    disk->replace(env::DiskOpId(2), "state", "too long");
    run_until_done(2);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    EXPECT_EQ(outcomes[1].error().code, Errc::io_error);
    EXPECT_EQ(disk->read("state"), "good");
    EXPECT_FALSE(fs::exists(root / "data" / "state.replacing"));
}

// ---- data folder

TEST_F(DiskTest, ASecondProcessIsToldWhoHoldsTheFolderAndWhatToChange) {
    const auto second = DataFolder::open(root / "data");
    ASSERT_FALSE(second.has_value());
    EXPECT_EQ(second.error().code, Errc::conflict);
    EXPECT_THAT(second.error().detail, HasSubstr((root / "data").string()));
    EXPECT_THAT(second.error().detail, HasSubstr("pid " + std::to_string(::getpid())));
    EXPECT_THAT(second.error().detail, HasSubstr("--set data_dir="));
}

TEST_F(DiskTest, TheLockOfAKilledProcessIsFree) {
    const fs::path other = root / "other";
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto held = DataFolder::open(other);
        const char ok = held ? '1' : '0';
        (void)!::write(ready[1], &ok, 1);
        ::pause();
        std::_Exit(0);
    }
    char ok = 0;
    ASSERT_EQ(::read(ready[0], &ok, 1), 1);
    EXPECT_EQ(ok, '1');
    EXPECT_FALSE(DataFolder::open(other).has_value());
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(DataFolder::open(other).has_value());
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(DiskTest, NamesAFolderThatCannotBeMade) {
    std::ofstream(root / "file") << "x";
    const auto opened = DataFolder::open(root / "file" / "data");
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().code, Errc::io_error);
    EXPECT_THAT(opened.error().detail, HasSubstr((root / "file").string()));
    EXPECT_THAT(opened.error().detail, HasSubstr("--set data_dir="));
}

constexpr WallTime kWall{1000};

TEST_F(DiskTest, LivesGrowFromStartToStartAndNotWithAClockSetBack) {
    const auto first = begin_life(*folder, kWall);
    EXPECT_EQ(first->now, Incarnation(1000));
    EXPECT_EQ(first->before, Incarnation());
    EXPECT_EQ(begin_life(*folder, WallTime{5})->now, Incarnation(1001));
    const auto third = begin_life(*folder, WallTime{4000});
    EXPECT_EQ(third->now, Incarnation(4000));
    EXPECT_EQ(third->before, Incarnation(1001));
    EXPECT_EQ(begin_life(*folder, WallTime{-5})->now, Incarnation(4001));
}

TEST_F(DiskTest, RefusesAnIncarnationFileThatHoldsSomethingElse) {
    for (const char* text : {"", "x", "1 2", "-1", "18446744073709551615"}) {
        std::ofstream(root / "data" / "incarnation", std::ios::trunc) << text;
        EXPECT_EQ(begin_life(*folder, kWall).error().code, Errc::corrupt) << text;
    }
}

TEST_F(DiskTest, TheNameOfANodeIsMadeOnceAndKept) {
    const auto owner = claim_folder(*folder, {});
    ASSERT_TRUE(owner.has_value());
    EXPECT_TRUE(owner->node.raw().starts_with("node-"));
    EXPECT_NE(owner->folder, 0U);
    EXPECT_EQ(claim_folder(*folder, {}), owner);
    EXPECT_EQ(claim_folder(*folder, {.node = owner->node, .cluster = ""}), owner);
}

TEST_F(DiskTest, AFolderKeepsItsNodeAndCluster) {
    const auto owner = claim_folder(*folder, {.node = NodeId("d1"), .cluster = "blue"});
    ASSERT_TRUE(owner.has_value());
    EXPECT_EQ(claim_folder(*folder, {.node = NodeId("d1"), .cluster = "blue"}), owner);
    const auto other = claim_folder(*folder, {.node = NodeId("d2"), .cluster = "blue"});
    EXPECT_EQ(other.error().code, Errc::conflict);
    EXPECT_THAT(other.error().detail, HasSubstr("belongs to node 'd1' of cluster 'blue'"));
    EXPECT_THAT(other.error().detail, HasSubstr("--node-id d1"));
    const auto strange = claim_folder(*folder, {.node = NodeId("d1"), .cluster = "red"});
    EXPECT_THAT(strange.error().detail, HasSubstr("this is node 'd1' of cluster 'red'"));
    EXPECT_THAT(strange.error().detail, HasSubstr("--set data_dir=FOLDER"));
    const auto alone = claim_folder(*folder, {});
    EXPECT_THAT(alone.error().detail, HasSubstr("a node of a registry of its own"));
    EXPECT_EQ(claim_folder(*folder, {.node = NodeId("d1"), .cluster = "blue"}), owner);
}

TEST_F(DiskTest, RefusesAnOwnerFileThatHoldsSomethingElse) {
    const std::string good = "muster-folder 1\nfolder 00000000000000ab\nnode d1\ncluster blue\n";
    std::ofstream(root / "data" / "owner", std::ios::trunc) << good;
    EXPECT_EQ(claim_folder(*folder, {.node = {}, .cluster = "blue"})->folder, 0xabU);
    for (const std::string& text :
         {std::string(), good + "more\n", good.substr(0, good.size() - 1),
          std::string("muster-folder 2\nfolder ab\nnode d1\ncluster blue\n"),
          std::string("muster-folder 1\nfolder 0\nnode d1\ncluster blue\n"),
          std::string("muster-folder 1\nfolder xyz\nnode d1\ncluster blue\n"),
          std::string("muster-folder 1\nfolder ab\nnode \ncluster blue\n")}) {
        std::ofstream(root / "data" / "owner", std::ios::trunc) << text;
        EXPECT_EQ(claim_folder(*folder, {.node = {}, .cluster = "blue"}).error().code,
                  Errc::corrupt)
            << text;
    }
}

}  // namespace
}  // namespace muster::runtime
