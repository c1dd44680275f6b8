#include "raft/single_node.h"

#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "env/manual_time.h"
#include "env/memory_disk.h"
#include "raft/notebook.h"
#include "raft/record_log.h"

namespace muster::raft {
namespace {

using std::chrono::milliseconds;

// One meta's disk and the lives that follow each other on it.
class Story {
public:
    Story() {
        options.node = NodeId("meta-1");
    }

    Result<RecoveryReport> start() {
        auto report = begin();
        if (report) {
            settle();
        }
        return report;
    }

    // Nothing it writes is carried out yet.
    Result<RecoveryReport> begin() {
        timers = std::make_unique<env::ManualTimers>(clock);
        notebook = std::make_unique<Notebook>();
        witness = std::make_unique<Witness>();
        node = std::make_unique<SingleNode>(
            options, SingleNodeEnv{.disk = disk, .timers = *timers, .log = {}});
        timers->attach(*node);
        disk.attach(*node);
        return node->start(*notebook, *witness);
    }

    void settle() {
        while (disk.pump_all() + timers->fire_due() > 0) {
        }
    }

    void propose(std::uint64_t ticket) {
        node->propose(Ticket(ticket), line(ticket));
    }

    void write(std::uint64_t from, std::uint64_t to) {
        for (std::uint64_t ticket = from; ticket <= to; ++ticket) {
            propose(ticket);
            settle();
        }
    }

    void let_it_seal() {
        clock.advance(milliseconds(200));
        settle();
    }

    [[nodiscard]] static std::string line(std::uint64_t ticket) {
        return "line " + std::to_string(ticket);
    }

    [[nodiscard]] std::string newest(std::string_view suffix) const {
        std::string path;
        for (const auto& [name, bytes] : disk.files()) {
            path = name.ends_with(suffix) ? name : path;
        }
        return path;
    }

    [[nodiscard]] std::vector<std::string> lines(std::uint64_t count) const {
        std::vector<std::string> all;
        for (std::uint64_t i = 1; i <= count; ++i) {
            all.push_back(line(i));
        }
        return all;
    }

    env::ManualClock clock;
    env::MemoryDisk disk;
    SingleNodeOptions options;
    std::unique_ptr<env::ManualTimers> timers;
    std::unique_ptr<Notebook> notebook;
    std::unique_ptr<Witness> witness;
    std::unique_ptr<SingleNode> node;
};

TEST(SingleNode, LeadsOnAnEmptyFolderAndAnswersOnlyWhatIsDurable) {
    Story story;
    const auto report = story.start();
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(story.witness->leads);
    EXPECT_EQ(story.node->status().leader, NodeId("meta-1"));

    story.propose(1);
    EXPECT_TRUE(story.witness->acknowledged.empty());
    EXPECT_TRUE(story.notebook->lines.empty());
    story.settle();
    ASSERT_EQ(story.witness->acknowledged.size(), 1U);
    EXPECT_EQ(story.witness->acknowledged[1].second, "1:line 1");
    EXPECT_EQ(story.node->status().commit, LogIndex(1));
}

TEST(SingleNode, WritesWhatArrivesDuringASyncInOneBatch) {
    Story story;
    ASSERT_TRUE(story.start());
    for (std::uint64_t ticket = 1; ticket <= 10; ++ticket) {
        story.propose(ticket);
    }
    EXPECT_EQ(story.disk.queued(), 1U);
    EXPECT_TRUE(story.disk.pump_one());
    EXPECT_EQ(story.witness->acknowledged.size(), 1U);
    EXPECT_EQ(story.disk.queued(), 1U);
    EXPECT_TRUE(story.disk.pump_one());
    EXPECT_EQ(story.witness->acknowledged.size(), 10U);
}

TEST(SingleNode, KeepsEverythingAcrossRestartsUnderGrowingTerms) {
    Story story;
    std::uint64_t term = 0;
    for (std::uint64_t life = 0; life < 30; ++life) {
        const auto report = story.start();
        ASSERT_TRUE(report.has_value()) << to_string(report.error());
        EXPECT_EQ(story.notebook->lines, story.lines(life));
        EXPECT_GT(story.node->status().term.raw(), term);
        term = story.node->status().term.raw();
        story.write(life + 1, life + 1);
        story.disk.crash({});
    }
}

TEST(SingleNode, DoesNotPileUpFilesWhenItOnlyRestarts) {
    Story story;
    ASSERT_TRUE(story.start());
    story.write(1, 3);
    for (int life = 0; life < 100; ++life) {
        ASSERT_TRUE(story.start());
    }
    EXPECT_LE(story.disk.files().size(), 3U);
    EXPECT_EQ(story.notebook->lines, story.lines(3));
}

TEST(SingleNode, RefusesOutsideOfTheCall) {
    Story story;
    story.options.command_bytes_max = 100;
    story.options.waiting_max = 2;
    ASSERT_TRUE(story.start());
    story.node->propose(Ticket(1), std::string(101, 'x'));
    story.propose(2);
    story.propose(3);
    story.propose(4);
    story.node->change(Ticket(5), {});
    story.node->transfer(Ticket(6), NodeId("meta-2"));
    story.node->read_barrier(Ticket(7));
    EXPECT_TRUE(story.witness->refused.empty());
    EXPECT_TRUE(story.witness->readable.empty());
    story.settle();
    EXPECT_EQ(story.witness->refused[1].code, Errc::too_large);
    EXPECT_EQ(story.witness->refused[4].code, Errc::over_limit);
    EXPECT_EQ(story.witness->refused[5].code, Errc::refused);
    EXPECT_EQ(story.witness->refused[6].code, Errc::refused);
    EXPECT_EQ(story.witness->refused.size(), 4U);
    EXPECT_EQ(story.witness->readable.count(7), 1U);
    EXPECT_EQ(story.witness->acknowledged.size(), 2U);
}

TEST(SingleNode, IsNotReadyBeforeItsTermIsDurable) {
    Story story;
    ASSERT_TRUE(story.start());
    story.write(1, 1);
    story.disk.fail_next(1, {Errc::io_error, "no space left"});
    ASSERT_TRUE(story.start());
    EXPECT_FALSE(story.witness->leads);
    EXPECT_EQ(story.node->status().role, ConsensusRole::recovering);
    story.propose(2);
    story.node->read_barrier(Ticket(3));
    story.settle();
    EXPECT_EQ(story.witness->refused[2].code, Errc::not_ready);
    EXPECT_EQ(story.witness->refused[3].code, Errc::not_ready);
    story.clock.advance(milliseconds(1100));
    story.settle();
    EXPECT_TRUE(story.witness->leads);
}

// ---- crashes: whatever was acknowledged is there again, and nothing twice or out of order

void expect_all_acknowledged_kept(Story& story, const Witness& before, const std::string& what) {
    const auto report = story.start();
    ASSERT_TRUE(report.has_value()) << what << ": " << to_string(report.error());
    ASSERT_GE(story.notebook->lines.size(), before.acknowledged.size()) << what;
    EXPECT_EQ(story.notebook->lines, story.lines(story.notebook->lines.size())) << what;
    EXPECT_TRUE(story.witness->leads) << what;
}

TEST(SingleNode, SurvivesAKillAtEveryOperationAndATearAtEveryByte) {
    // Small snapshots often, so that every kind of file is being written at some crash.
    for (std::size_t done = 0; done < 60; ++done) {
        for (std::size_t torn = 0; torn <= 160; torn += done < 12 ? 1 : 13) {
            for (const bool zeros : {false, true}) {
                Story story;
                story.options.snapshot_after_records = 7;
                ASSERT_TRUE(story.start());
                std::size_t pumped = 0;
                std::uint64_t ticket = 0;
                while (pumped < done) {
                    // Two at a time: single records and batches take turns.
                    story.propose(++ticket);
                    story.propose(++ticket);
                    while (pumped < done && story.disk.pump_one()) {
                        ++pumped;
                    }
                }
                story.propose(++ticket);
                story.propose(++ticket);
                const auto before = std::move(story.witness);
                story.disk.crash({.torn_bytes = torn, .torn_as_zeros = zeros});
                expect_all_acknowledged_kept(
                    story, *before,
                    "after " + std::to_string(done) + " operations, torn " + std::to_string(torn));
                const std::uint64_t kept = story.notebook->lines.size();
                story.write(kept + 1, kept + 2);
                ASSERT_TRUE(story.start());
                ASSERT_EQ(story.notebook->lines, story.lines(kept + 2));
            }
        }
    }
}

TEST(SingleNode, CutsATornTailOffForGood) {
    Story story;
    ASSERT_TRUE(story.start());
    story.write(1, 2);
    story.propose(3);
    story.disk.crash({.torn_bytes = 20});
    auto report = story.start();
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->bytes_dropped, 20U);
    EXPECT_EQ(report->records_kept, 2U);
    EXPECT_FALSE(report->truncated);
    EXPECT_TRUE(report->dropped_from.ends_with(".mlog"));
    story.write(3, 3);
    report = story.start();
    ASSERT_TRUE(report.has_value());
    EXPECT_EQ(report->bytes_dropped, 0U);
    EXPECT_EQ(story.notebook->lines, story.lines(3));
}

TEST(SingleNode, NeverLosesASealedRecordToAnyFlippedBit) {
    Story sealed;
    ASSERT_TRUE(sealed.start());
    sealed.write(1, 5);
    sealed.let_it_seal();
    const std::string path = sealed.newest(".mlog");
    const std::string good = sealed.disk.files().at(path);
    std::size_t refused = 0;
    for (std::size_t offset = 0; offset < good.size(); ++offset) {
        sealed.disk.put(path, good);
        sealed.disk.flip_bit(path, offset, static_cast<unsigned>(offset % 8));
        const auto log = recover(sealed.disk, {.folder = "meta"});
        if (!log) {
            EXPECT_EQ(log.error().code, Errc::corrupt) << offset;
            EXPECT_NE(log.error().detail.find(path), std::string::npos) << log.error().detail;
            EXPECT_NE(log.error().detail.find("allow_truncated_log"), std::string::npos);
            ++refused;
        } else {
            EXPECT_EQ(log->commands.size(), 5U) << "silently lost by a flip at " << offset;
        }
    }
    // Only the seal itself may go unnoticed.
    EXPECT_EQ(refused, good.size() - kRecordHeaderBytes);
}

TEST(SingleNode, TakesAFlipInAnUnsealedTailForATear) {
    Story story;
    ASSERT_TRUE(story.start());
    story.write(1, 3);
    const std::string path = story.newest(".mlog");
    const std::string good = story.disk.files().at(path);
    const std::size_t record = kRecordHeaderBytes + Story::line(3).size();
    for (std::size_t offset = good.size() - record; offset < good.size(); ++offset) {
        story.disk.put(path, good);
        story.disk.flip_bit(path, offset, 3);
        const auto log = recover(story.disk, {.folder = "meta"});
        ASSERT_TRUE(log.has_value()) << to_string(log.error());
        EXPECT_EQ(log->commands.size(), 2U);
        EXPECT_EQ(log->report.bytes_dropped, record);
    }
    for (std::size_t offset = 0; offset < good.size() - record; ++offset) {
        story.disk.put(path, good);
        story.disk.flip_bit(path, offset, 3);
        const auto log = recover(story.disk, {.folder = "meta"});
        ASSERT_FALSE(log.has_value()) << offset;
        EXPECT_EQ(log.error().code, Errc::corrupt);
    }
}

TEST(SingleNode, GoesOnWithThePrefixOnlyWhenTheOperatorSaysSo) {
    Story story;
    ASSERT_TRUE(story.start());
    story.write(1, 9);
    story.let_it_seal();
    const std::size_t record = kRecordHeaderBytes + Story::line(1).size();
    story.disk.flip_bit(story.newest(".mlog"), kSegmentHeaderBytes + 4 * record + 1, 0);
    EXPECT_FALSE(story.start().has_value());

    story.options.allow_truncated_log = true;
    const auto report = story.start();
    ASSERT_TRUE(report.has_value());
    EXPECT_TRUE(report->truncated);
    EXPECT_EQ(story.notebook->lines, story.lines(4));
    story.write(5, 6);

    story.options.allow_truncated_log = false;
    const auto again = story.start();
    ASSERT_TRUE(again.has_value()) << to_string(again.error());
    EXPECT_FALSE(again->truncated);
    EXPECT_EQ(story.notebook->lines, story.lines(6));
}

TEST(SingleNode, SurvivesAKillAtEveryOperationOfAStart) {
    for (const bool damaged : {false, true}) {
        for (std::size_t done = 0; done < 6; ++done) {
            Story story;
            story.options.segments_max = 1;
            story.options.snapshot_after_records = 4;
            ASSERT_TRUE(story.start());
            story.write(1, 11);
            story.let_it_seal();
            const std::string last = story.newest(".mlog");
            if (damaged) {
                story.disk.flip_bit(last, kSegmentHeaderBytes + kRecordHeaderBytes + 11, 2);
                story.options.allow_truncated_log = true;
            }
            for (int life = 0; life < 3; ++life) {
                ASSERT_TRUE(story.begin().has_value());
                for (std::size_t i = 0; i < done; ++i) {
                    story.disk.pump_one();
                }
                story.disk.crash({});
            }
            ASSERT_TRUE(story.start());
            EXPECT_EQ(story.notebook->lines, story.lines(damaged ? 9 : 11)) << done;
            story.options.allow_truncated_log = false;
            ASSERT_TRUE(story.start());
            EXPECT_EQ(story.notebook->lines, story.lines(damaged ? 9 : 11)) << done;
        }
    }
}

TEST(SingleNode, SurvivesAKillWhileItsFirstStartFails) {
    Story story;
    story.disk.fail_next(1, {Errc::io_error, "read-only"});
    ASSERT_TRUE(story.start());
    story.clock.advance(milliseconds(1100));
    story.timers->fire_due();
    ASSERT_TRUE(story.disk.pump_one());  // the snapshot of nothing, and no segment yet
    story.disk.crash({});
    const auto report = story.start();
    ASSERT_TRUE(report.has_value()) << to_string(report.error());
    story.write(1, 2);
    EXPECT_EQ(story.witness->acknowledged.size(), 2U);
}

TEST(SingleNode, RefusesALogOfANewerReleaseAndLeavesItAlone) {
    Story story;
    ASSERT_TRUE(story.start());
    story.write(1, 2);
    story.node->propose(Ticket(3), "newer command");
    story.settle();
    const auto files = story.disk.files();
    const auto report = story.start();
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, Errc::refused);
    EXPECT_NE(report.error().detail.find("command 3"), std::string::npos);
    EXPECT_TRUE(story.notebook->lines.empty());
    EXPECT_EQ(story.disk.queued(), 0U);
    EXPECT_EQ(story.disk.files(), files);
}

// ---- snapshots

TEST(SingleNode, KeepsTheFolderSmall) {
    Story story;
    story.options.snapshot_after_records = 10;
    ASSERT_TRUE(story.start());
    story.write(1, 500);
    EXPECT_LE(story.disk.files().size(), 6U);
    EXPECT_EQ(story.node->status().snapshot, LogIndex(500));
    ASSERT_TRUE(story.start());
    EXPECT_EQ(story.notebook->lines, story.lines(500));
}

TEST(SingleNode, FallsBackToTheOlderSnapshotAndTheLog) {
    for (std::uint64_t count = 10; count < 45; ++count) {
        Story story;
        story.options.snapshot_after_records = 10;
        ASSERT_TRUE(story.start());
        story.write(1, count);
        const std::string path = story.newest(".msnap");
        story.disk.flip_bit(path, story.disk.files().at(path).size() / 2, 1);
        const auto report = story.start();
        ASSERT_TRUE(report.has_value()) << to_string(report.error());
        EXPECT_EQ(report->damaged_files, std::vector<std::string>{path});
        EXPECT_EQ(story.notebook->lines, story.lines(count));
        const auto again = story.start();
        ASSERT_TRUE(again.has_value());
        EXPECT_TRUE(again->damaged_files.empty());
        EXPECT_EQ(story.notebook->lines, story.lines(count));
    }
}

TEST(SingleNode, RefusesToStartWithoutAnySnapshotThatIsNeeded) {
    Story story;
    story.options.snapshot_after_records = 10;
    ASSERT_TRUE(story.start());
    story.write(1, 45);
    const auto files = story.disk.files();
    for (const auto& [path, bytes] : files) {
        if (path.ends_with(".msnap")) {
            story.disk.flip_bit(path, bytes.size() - 1, 0);
        }
    }
    const auto report = story.start();
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, Errc::corrupt);
}

TEST(SingleNode, NoticesEveryMissingFileButTheLastOne) {
    Story whole;
    whole.options.snapshot_after_records = 10;
    ASSERT_TRUE(whole.start());
    whole.write(1, 35);
    const auto files = whole.disk.files();
    const std::string last = whole.newest(".mlog");
    for (const auto& [path, bytes] : files) {
        whole.disk.erase(path);
        const auto log = recover(whole.disk, {.folder = "meta"});
        if (log) {
            // A missing end looks like one never written; else only what nothing depends on.
            const bool end = path == last;
            EXPECT_EQ(log->report.last, LogIndex(end ? 30 : 35)) << path;
        } else {
            EXPECT_EQ(log.error().code, Errc::corrupt);
        }
        whole.disk.put(path, bytes);
    }
}

// ---- a disk that fails

TEST(SingleNode, GivesUpItsLeadershipOnAFailedWriteAndRebuildsItsLog) {
    for (std::size_t left_behind = 0; left_behind < 90; ++left_behind) {
        Story story;
        ASSERT_TRUE(story.start());
        story.write(1, 3);
        story.disk.fail_next(1, {Errc::io_error, "disk on fire"}, left_behind);
        story.propose(100);
        story.propose(101);
        story.settle();
        EXPECT_EQ(story.witness->refused[100].code, Errc::io_error);
        EXPECT_EQ(story.witness->refused[101].code, Errc::unavailable);
        EXPECT_FALSE(story.witness->leads);

        story.clock.advance(milliseconds(1100));
        story.settle();
        EXPECT_TRUE(story.witness->leads);
        EXPECT_EQ(story.witness->terms.size(), 3U);
        EXPECT_GT(story.witness->terms[2], story.witness->terms[0]);
        story.write(4, 5);
        ASSERT_TRUE(story.start());
        EXPECT_EQ(story.notebook->lines, story.lines(5));
    }
}

TEST(SingleNode, SurvivesADiskThatFailsAtEveryOperation) {
    for (std::size_t when = 0; when < 40; ++when) {
        for (std::size_t times = 1; times <= 3; ++times) {
            Story story;
            story.options.snapshot_after_records = 5;
            ASSERT_TRUE(story.start());
            std::size_t pumped = 0;
            std::uint64_t next = 1;
            for (int round = 0; round < 60; ++round) {
                const std::uint64_t ticket = next;
                story.propose(ticket);
                while (true) {
                    if (pumped++ == when) {
                        story.disk.fail_next(times, {Errc::io_error, "bad sector"}, 7);
                    }
                    if (!story.disk.pump_one()) {
                        break;
                    }
                }
                story.clock.advance(milliseconds(1100));
                story.timers->fire_due();
                next += story.witness->acknowledged.contains(ticket) ? 1 : 0;
            }
            EXPECT_GT(next, 40U);
            story.disk.crash({});
            ASSERT_TRUE(story.start());
            ASSERT_EQ(story.notebook->lines.size(), next - 1) << when;
            EXPECT_EQ(story.notebook->lines, story.lines(next - 1));
        }
    }
}

}  // namespace
}  // namespace muster::raft
