#include "raft/log_store.h"

#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "env/manual_time.h"
#include "env/memory_disk.h"
#include "raft/membership.h"
#include "raft/record_log.h"
#include "raft/vote_file.h"

namespace muster::raft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SharedBytes bytes_of(std::string text) {
    return std::make_shared<const std::string>(std::move(text));
}

Entry entry(std::uint64_t index, std::uint64_t term) {
    return {.term = Term(term),
            .index = LogIndex(index),
            .data = bytes_of("command " + std::to_string(index))};
}

bool same(const Entry& a, const Entry& b) {
    return a.term == b.term && a.index == b.index && a.kind == b.kind && *a.data == *b.data;
}

Membership abc() {
    return {.voters = {NodeId("a"), NodeId("b"), NodeId("c")}};
}

SnapshotImage image(std::uint64_t index, std::uint64_t term, const std::string& state) {
    return {.index = LogIndex(index),
            .term = Term(term),
            .payload = bytes_of(encode_membership(abc()) + state)};
}

// One folder and the stores that follow each other on it.
class Folder : public LogStoreListener, public env::DiskTarget, public env::TimerTarget {
public:
    Folder() {
        options.node = NodeId("b");
        options.cluster = 7;
        options.reserve = {.bytes = 0};
        options.seal_timer = env::TimerKey(1);
        options.retry_timer = env::TimerKey(2);
        options.reserve_timer = env::TimerKey(3);
        options.scrub = {
            .part_bytes = 64, .part_interval = milliseconds(10), .round_interval = seconds(60)};
        options.scrub_timer = env::TimerKey(4);
    }

    // A life begins; nothing is written yet.
    Result<StoredLog> open() {
        stored.clear();
        broken = false;
        timers = std::make_unique<env::ManualTimers>(clock);
        timers->attach(*this);
        store = std::make_unique<LogStore>(options, disk, *timers, Log{}, *this);
        disk.attach(*this);
        return store->open();
    }
    // As a RaftNode does it.
    StoredLog start() {
        auto found = open();
        EXPECT_TRUE(found.has_value()) << to_string(found.error());
        if (found->fresh) {
            found->start.snapshot = image(0, 0, "begin");
        }
        store->begin(found->start, found->fresh);
        settle();
        return std::move(*found);
    }
    void settle() {
        while (disk.pump_all() + timers->fire_due() > 0) {
        }
    }
    void elapse(Duration time) {
        clock.advance(time);
        settle();
    }
    void seal() {
        elapse(milliseconds(200));
    }
    void crash(const env::MemoryDisk::Crash& how = {}) {
        disk.crash(how);
    }

    std::uint64_t submit(Write write) {
        write.number = ++last_number;
        store->submit(std::move(write));
        return last_number;
    }
    std::uint64_t append(std::uint64_t from, std::uint64_t to, std::uint64_t term) {
        Write write;
        for (std::uint64_t index = from; index <= to; ++index) {
            write.entries.push_back(entry(index, term));
        }
        return submit(std::move(write));
    }
    std::uint64_t vote(HardState hard) {
        Write write;
        write.hard = std::move(hard);
        return submit(std::move(write));
    }
    std::uint64_t snapshot(std::uint64_t index, std::uint64_t term, const std::string& state,
                           bool from_leader = false) {
        Write write;
        write.snapshot = image(index, term, state);
        write.voids_log = from_leader;
        return submit(std::move(write));
    }
    [[nodiscard]] std::vector<std::string> files(std::string_view suffix) const {
        std::vector<std::string> found;
        for (const auto& [path, bytes] : disk.files()) {
            if (path.ends_with(suffix)) {
                found.push_back(path);
            }
        }
        return found;
    }

    LogStoreOptions options;
    env::ManualClock clock;
    env::MemoryDisk disk;
    std::unique_ptr<env::ManualTimers> timers;
    std::unique_ptr<LogStore> store;
    std::vector<std::uint64_t> stored;
    std::vector<std::uint64_t> given_up;
    bool broken = false;
    int times_broken = 0;
    int damages = 0;
    std::uint64_t last_number = 0;

private:
    void on_stored(std::uint64_t number) override {
        stored.push_back(number);
    }
    void on_snapshot_given_up(std::uint64_t number) override {
        given_up.push_back(number);
    }
    void on_store_broken(const Error& /*why*/) override {
        broken = true;
        ++times_broken;
    }
    void on_store_healed() override {
        broken = false;
    }
    void on_damage_found() override {
        ++damages;
    }
    void on_read(env::DiskOpId op, const Result<std::string>& bytes) override {
        store->on_read(op, bytes);
    }
    void on_disk(env::DiskOpId op, const Result<void>& outcome) override {
        store->on_disk(op, outcome);
    }
    void on_timer(env::TimerKey key) override {
        store->on_timer(key);
    }
};

void expect_entries(const StoredLog& found, const std::vector<Entry>& wanted) {
    ASSERT_EQ(found.start.entries.size(), wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_TRUE(same(found.start.entries[i], wanted[i])) << "entry " << i;
    }
}

TEST(LogStore, FindsWhatItReported) {
    Folder folder;
    EXPECT_TRUE(folder.start().fresh);
    const HardState hard{.term = Term(2), .vote = NodeId("a")};
    folder.vote(hard);
    folder.append(1, 3, 1);
    const std::uint64_t last = folder.append(4, 5, 2);
    EXPECT_TRUE(folder.stored.empty());  // nothing is durable yet
    folder.settle();
    EXPECT_EQ(folder.stored, (std::vector<std::uint64_t>{1, 2, last}));
    folder.crash();
    const StoredLog found = folder.start();
    EXPECT_FALSE(found.fresh);
    EXPECT_EQ(found.start.hard, hard);
    EXPECT_EQ(found.start.membership, abc());
    EXPECT_EQ(found.state, "begin");
    expect_entries(found, {entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 2), entry(5, 2)});
}

TEST(LogStore, ReplacedEntriesDoNotComeBack) {
    Folder folder;
    folder.start();
    folder.append(1, 10, 1);
    folder.append(5, 6, 2);
    folder.settle();
    folder.crash();
    const StoredLog found = folder.start();
    expect_entries(found,
                   {entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1), entry(5, 2), entry(6, 2)});
    EXPECT_FALSE(found.start.hard.doubt);
}

TEST(LogStore, ATornTailAtEveryByteCostsOnlyWhatNobodyWasToldOf) {
    for (const bool zeros : {false, true}) {
        bool all_of_it = false;
        for (std::size_t torn = 0; !all_of_it; ++torn) {
            Folder folder;
            folder.start();
            folder.append(1, 3, 1);
            folder.settle();
            folder.append(4, 6, 1);
            const std::size_t before = folder.disk.used();
            folder.crash({.operations = 0, .torn_bytes = torn, .torn_as_zeros = zeros});
            const std::size_t left = folder.disk.used() - before;
            const StoredLog found = folder.start();
            EXPECT_FALSE(found.start.hard.doubt) << torn;
            EXPECT_GE(found.start.entries.size(), 3U) << torn;
            all_of_it = zeros ? found.start.entries.size() == 6 : left < torn;
            for (std::size_t i = 0; i < found.start.entries.size(); ++i) {
                EXPECT_TRUE(same(found.start.entries[i], entry(i + 1, 1))) << torn;
            }
        }
    }
}

// Its length, type, term, index, what it says about the bytes before it, and its data.
TEST(LogStore, AFlippedBitAnywhereInWhatWasDurableIsFoundAndBringsDoubt) {
    Folder origin;
    origin.start();
    for (std::uint64_t index = 1; index <= 3; ++index) {
        origin.append(index, index, 1);
        origin.settle();
    }
    origin.seal();
    origin.crash();
    const std::string path = origin.files(".mlog").back();
    const std::size_t record = kRecordHeaderBytes + 1 + std::string_view("command 1").size();
    ASSERT_GE(origin.disk.files().at(path).size(), kSegmentHeaderBytes + 3 * record);
    for (std::size_t at = kSegmentHeaderBytes; at < kSegmentHeaderBytes + 3 * record; ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            Folder folder;
            for (const auto& [name, bytes] : origin.disk.files()) {
                folder.disk.put(name, bytes);
            }
            folder.disk.flip_bit(path, at, bit);
            const StoredLog found = folder.start();
            EXPECT_TRUE(found.start.hard.doubt) << at;
            EXPECT_EQ(found.start.hard.life, 1U) << at;
            EXPECT_TRUE(found.report.truncated) << at;
            EXPECT_FALSE(found.report.reason.empty()) << at;
            EXPECT_EQ(found.start.entries.size(), (at - kSegmentHeaderBytes) / record) << at;
            for (std::size_t i = 0; i < found.start.entries.size(); ++i) {
                EXPECT_TRUE(same(found.start.entries[i], entry(i + 1, 1))) << at;
            }
            // The doubt is written down: it does not go with the damage.
            folder.crash();
            EXPECT_TRUE(folder.start().start.hard.doubt) << at;
        }
    }
}

TEST(LogStore, AFlippedBitAnywhereInASnapshotIsFoundAndTheOlderOneCounts) {
    Folder origin;
    origin.start();
    origin.append(1, 4, 1);
    origin.snapshot(2, 1, "state of 2");
    origin.settle();
    origin.append(5, 6, 1);
    origin.snapshot(5, 1, "state of 5");
    origin.settle();
    origin.seal();
    origin.crash();
    const std::string path = "meta/" + snapshot_name(LogIndex(5));
    const std::size_t size = origin.disk.files().at(path).size();
    for (std::size_t at = 0; at < size; ++at) {
        Folder folder;
        for (const auto& [name, bytes] : origin.disk.files()) {
            folder.disk.put(name, bytes);
        }
        folder.disk.flip_bit(path, at, static_cast<unsigned>(at) % 8);
        auto opened = folder.open();
        if (!opened) {
            // A format number that is newer is no damage: it is left alone.
            EXPECT_EQ(opened.error().code, Errc::refused) << at;
            continue;
        }
        EXPECT_EQ(opened->state, "state of 2") << at;
        EXPECT_FALSE(opened->start.hard.doubt) << at;
        expect_entries(*opened, {entry(3, 1), entry(4, 1), entry(5, 1), entry(6, 1)});
    }
}

TEST(LogStore, ASnapshotOfALeaderVoidsWhatContradictsIt) {
    Folder folder;
    folder.start();
    folder.append(1, 10, 1);
    folder.snapshot(6, 2, "of the leader", true);
    folder.append(7, 8, 2);
    folder.settle();
    folder.crash();
    const StoredLog found = folder.start();
    EXPECT_EQ(found.start.snapshot.index, LogIndex(6));
    EXPECT_EQ(found.state, "of the leader");
    expect_entries(found, {entry(7, 2), entry(8, 2)});
}

// At whatever operation the power goes: the old vote or the new one, never none and never less.
TEST(LogStore, AVoteSurvivesACrashBetweenItsTwoFiles) {
    const HardState old_vote{.term = Term(3), .vote = NodeId("a")};
    const HardState new_vote{.term = Term(4), .vote = NodeId("c")};
    std::set<std::uint64_t> terms;
    for (std::size_t operations = 0; operations <= 2; ++operations) {
        Folder folder;
        folder.start();
        folder.vote(old_vote);
        folder.settle();
        folder.vote(new_vote);
        for (std::size_t i = 0; i < operations; ++i) {
            folder.disk.pump_one();
        }
        const bool told = !folder.stored.empty() && folder.stored.back() == folder.last_number;
        folder.crash();
        const HardState found = folder.start().start.hard;
        EXPECT_TRUE(found == old_vote || found == new_vote) << operations;
        EXPECT_TRUE(!told || found == new_vote) << operations;
        terms.insert(found.term.raw());
    }
    EXPECT_EQ(terms.size(), 2U);
}

TEST(LogStore, OneVoteFileWithAnyFlippedBitIsMadeUpForAndTwoAreNot) {
    const HardState hard{.term = Term(9), .vote = NodeId("c"), .life = 2, .doubt = true};
    Folder origin;
    origin.start();
    origin.vote(hard);
    origin.settle();
    origin.crash();
    for (const std::string_view name : kVoteFiles) {
        const std::string path = "meta/" + std::string(name);
        for (std::size_t at = 0; at < origin.disk.files().at(path).size(); ++at) {
            Folder folder;
            for (const auto& [file, bytes] : origin.disk.files()) {
                folder.disk.put(file, bytes);
            }
            folder.disk.flip_bit(path, at, static_cast<unsigned>(at) % 8);
            auto found = folder.open();
            if (!found) {
                EXPECT_EQ(found.error().code, Errc::refused) << at;  // of a newer release
                continue;
            }
            EXPECT_EQ(found->start.hard, hard) << at;
        }
    }
    for (const std::string_view name : kVoteFiles) {
        origin.disk.cut("meta/" + std::string(name), 10);
    }
    const auto lost = origin.open();
    ASSERT_FALSE(lost.has_value());
    EXPECT_EQ(lost.error().code, Errc::corrupt);
    EXPECT_NE(lost.error().detail.find("Remove all of the folder"), std::string::npos);
}

TEST(LogStore, RefusesTheFolderOfAnotherNodeOrCluster) {
    Folder folder;
    folder.start();
    folder.vote({.term = Term(1)});
    folder.settle();
    folder.crash();
    const auto before = folder.disk.files();
    folder.options.node = NodeId("z");
    EXPECT_EQ(folder.open().error().code, Errc::conflict);
    folder.options.node = NodeId("b");
    folder.options.cluster = 8;
    EXPECT_EQ(folder.open().error().code, Errc::conflict);
    EXPECT_EQ(folder.disk.files(), before);  // nothing was overwritten
}

// ---- disks that fail and disks that are full

TEST(LogStore, AFailedWriteIsRepeatedAndWhatItLeftBehindIsVoid) {
    Folder folder;
    folder.start();
    folder.append(1, 2, 1);
    folder.settle();
    const std::uint64_t number = folder.append(3, 4, 1);
    folder.disk.fail_next(1, {Errc::io_error, "a bad sector"}, 30);
    folder.settle();
    EXPECT_TRUE(folder.broken);
    EXPECT_NE(folder.stored.back(), number);
    folder.elapse(seconds(1));
    EXPECT_FALSE(folder.broken);
    EXPECT_EQ(folder.stored.back(), number);
    folder.crash();
    const StoredLog found = folder.start();
    EXPECT_FALSE(found.start.hard.doubt);
    expect_entries(found, {entry(1, 1), entry(2, 1), entry(3, 1), entry(4, 1)});
}

TEST(LogStore, AFullDiskIsSaidAndGoesOnWhenThereIsSpace) {
    Folder folder;
    folder.start();
    folder.disk.set_capacity(folder.disk.used() + 20);
    const std::uint64_t number = folder.append(1, 2, 1);
    folder.elapse(seconds(20));
    EXPECT_TRUE(folder.broken);
    EXPECT_EQ(folder.times_broken, 1);
    EXPECT_TRUE(folder.stored.empty());
    folder.disk.set_capacity(SIZE_MAX);
    folder.elapse(seconds(1));
    EXPECT_FALSE(folder.broken);
    EXPECT_EQ(folder.stored.back(), number);
}

TEST(LogStore, ASnapshotThatDoesNotFitIsGivenUpAndTheLogGoesOn) {
    Folder folder;
    folder.start();
    folder.append(1, 2, 1);
    folder.settle();
    folder.disk.set_capacity(folder.disk.used() + 500);
    const std::uint64_t number = folder.snapshot(2, 1, std::string(1000, 's'));
    const std::uint64_t after = folder.append(3, 3, 1);
    folder.settle();
    EXPECT_EQ(folder.given_up, std::vector<std::uint64_t>{number});
    EXPECT_FALSE(folder.broken);
    EXPECT_EQ(folder.stored.back(), after);
}

// ---- files that go bad while the store runs

class LogStoreScrub : public testing::Test {
protected:
    LogStoreScrub() {
        folder.start();
        folder.vote({.term = Term(1), .vote = NodeId("a")});
        folder.append(1, 10, 1);
        folder.snapshot(10, 1, std::string(300, 's'));
        folder.append(11, 20, 1);
        folder.seal();
        folder.append(21, 22, 1);
        folder.settle();
    }
    void elapse_a_round() {
        for (int i = 0; i < 7000; ++i) {
            folder.elapse(milliseconds(10));
        }
    }
    Folder folder;
};

TEST_F(LogStoreScrub, WhatIsAsItWasWrittenIsLeftAlone) {
    elapse_a_round();
    folder.append(23, 30, 1);
    folder.snapshot(30, 1, "newer");
    folder.append(25, 26, 2);  // in place of others
    folder.disk.fail_next(1, {Errc::io_error, "no space left"}, 7);
    folder.append(27, 28, 2);
    elapse_a_round();
    EXPECT_EQ(folder.damages, 0);
    // What was found at start, torn or not, is taken as it is.
    folder.append(29, 30, 2);
    folder.crash({.torn_bytes = 20});
    folder.start();
    elapse_a_round();
    EXPECT_EQ(folder.damages, 0);
}

TEST_F(LogStoreScrub, OneFlippedBitInAnyFileIsFoundByTheNextRound) {
    int found = 0;
    for (const char* kind : {".msnap", ".mlog", ".mvote"}) {
        for (const std::string& path : folder.files(kind)) {
            folder.disk.flip_bit(path, folder.disk.files().find(path)->second.size() / 2, 5);
            elapse_a_round();
            EXPECT_EQ(folder.damages, ++found) << path;
        }
    }
    EXPECT_GE(found, 5);
    // Each is said once.
    elapse_a_round();
    EXPECT_EQ(folder.damages, found);
}

TEST_F(LogStoreScrub, TheFolderIsBegunAnewInNewFiles) {
    folder.disk.flip_bit(folder.files(".mlog").front(), 50, 1);
    elapse_a_round();
    ASSERT_EQ(folder.damages, 1);
    Write anew;
    anew.snapshot = image(15, 1, "all of it");
    anew.voids_log = anew.anew = true;
    folder.submit(std::move(anew));
    const std::uint64_t number = folder.append(16, 22, 1);
    folder.settle();
    EXPECT_EQ(folder.stored.back(), number);
    EXPECT_EQ(folder.files(".msnap").size(), 1U);
    EXPECT_EQ(folder.files(".mlog").size(), 1U);
    elapse_a_round();
    EXPECT_EQ(folder.damages, 1);
    folder.crash();
    const StoredLog found = folder.start();
    EXPECT_EQ(found.start.snapshot.index, LogIndex(15));
    EXPECT_EQ(found.start.entries.size(), 7U);
    EXPECT_FALSE(found.start.hard.doubt);
}

class LogStoreReserve : public testing::Test {
protected:
    LogStoreReserve() {
        folder.options.reserve = {
            .bytes = 4000, .piece_bytes = 1000, .interval = std::chrono::seconds(30)};
        folder.start();
        folder.elapse(seconds(2));
    }
    Folder folder;
};

TEST_F(LogStoreReserve, IsGivenUpBeforeTheStoreIsBroken) {
    EXPECT_EQ(folder.files(".mres").size(), 4U);
    folder.disk.set_capacity(folder.disk.used() + 10);
    const std::uint64_t number = folder.append(1, 5, 1);
    folder.settle();
    EXPECT_EQ(folder.stored.back(), number);
    EXPECT_EQ(folder.times_broken, 0);
    EXPECT_TRUE(folder.files(".mres").empty());
    // Who asks is told once that the log should be made small.
    EXPECT_TRUE(folder.store->take_compaction_wish());
    EXPECT_FALSE(folder.store->take_compaction_wish());
}

TEST_F(LogStoreReserve, LeavesRoomForASnapshotWhichMakesRoom) {
    folder.append(1, 40, 1);
    folder.settle();
    folder.disk.set_capacity(folder.disk.used());
    folder.append(41, 42, 1);
    const std::uint64_t number = folder.snapshot(42, 1, std::string(1500, 's'));
    folder.settle();
    EXPECT_EQ(folder.stored.back(), number);
    // One snapshot and an empty segment: a second snapshot is for better times.
    EXPECT_EQ(folder.files(".msnap").size(), 1U);
    EXPECT_EQ(folder.files(".mlog").size(), 1U);
    folder.crash();
    const StoredLog found = folder.start();
    EXPECT_EQ(found.start.snapshot.index, LogIndex(42));
    EXPECT_FALSE(found.start.hard.doubt);
}

TEST_F(LogStoreReserve, IsHadBackWhenThereIsSpaceAndIsFoundByTheNextLife) {
    folder.disk.set_capacity(folder.disk.used());
    folder.append(1, 5, 1);
    folder.settle();
    folder.elapse(seconds(40));
    EXPECT_LT(folder.files(".mres").size(), 4U);
    EXPECT_TRUE(folder.store->take_compaction_wish());
    folder.disk.set_capacity(SIZE_MAX);
    folder.elapse(seconds(40));
    EXPECT_EQ(folder.files(".mres").size(), 4U);
    folder.crash();
    folder.start();
    const std::size_t queued = folder.disk.used();
    folder.elapse(seconds(2));
    EXPECT_EQ(folder.files(".mres").size(), 4U);
    EXPECT_EQ(folder.disk.used(), queued);
    folder.disk.set_capacity(folder.disk.used());
    folder.append(6, 9, 1);
    folder.settle();
    EXPECT_EQ(folder.times_broken, 0);
}

TEST_F(LogStoreReserve, GrowsWithTheSnapshot) {
    folder.append(1, 2, 1);
    folder.snapshot(2, 1, std::string(5000, 's'));
    folder.settle();
    EXPECT_GE(folder.files(".mres").size() * 1000, 7500U);
}

TEST_F(LogStoreReserve, ADiskThatOnlyFailsCostsTheReserveOnceAndIsSaid) {
    folder.disk.fail_next(1000, {Errc::io_error, "a dead disk"});
    folder.append(1, 2, 1);
    folder.elapse(seconds(5));
    EXPECT_TRUE(folder.broken);
    EXPECT_EQ(folder.times_broken, 1);
}

}  // namespace
}  // namespace muster::raft
