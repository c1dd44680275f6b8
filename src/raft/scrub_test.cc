#include "raft/scrub.h"

#include <gtest/gtest.h>

#include "env/manual_time.h"
#include "env/memory_disk.h"

namespace muster::raft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ScrubTest : public testing::Test, public env::DiskTarget, public env::TimerTarget {
protected:
    ScrubTest() {
        disk.attach(*this);
        timers.attach(*this);
        put("a", std::string(100, 'a'));
        put("b", std::string(333, 'b'));
        put("c", "");
        scrub.begin();
    }

    void put(const std::string& name, const std::string& bytes) {
        disk.put("f/" + name, bytes);
        scrub.wrote(name, sum_of(bytes));
    }
    void elapse(Duration time) {
        for (Duration passed{}; passed < time; passed += milliseconds(10)) {
            clock.advance(milliseconds(10));
            while (timers.fire_due() + disk.pump_all() > 0) {
            }
        }
    }
    void elapse_a_round() {
        elapse(seconds(11));
    }
    // The parts are two of a, six of b, the empty c.
    void elapse_until_read(std::size_t count) {
        for (int i = 0; i < 2000 && reads < count; ++i) {
            elapse(milliseconds(10));
        }
        ASSERT_EQ(reads, count);
    }

    void on_disk(env::DiskOpId /*op*/, const Result<void>& /*outcome*/) override {}
    void on_read(env::DiskOpId op, const Result<std::string>& bytes) override {
        ++reads;
        if (auto damage = scrub.on_read(op, bytes)) {
            damages.push_back(damage->name + ": " + damage->why);
        }
    }
    void on_timer(env::TimerKey /*key*/) override {
        scrub.on_timer();
    }

    env::ManualClock clock;
    env::ManualTimers timers{clock};
    env::MemoryDisk disk;
    Scrub scrub{
        {.part_bytes = 64, .part_interval = milliseconds(10), .round_interval = seconds(10)},
        "f",
        env::TimerKey(1),
        disk,
        timers};
    std::vector<std::string> damages;
    std::size_t reads = 0;
};

TEST_F(ScrubTest, ReadsAllOfItOnceARoundAndAPartAtATime) {
    elapse(milliseconds(9990));
    EXPECT_EQ(reads, 0U);
    elapse(milliseconds(30));
    EXPECT_LE(reads, 3U);
    elapse(seconds(1));
    EXPECT_EQ(reads, 2U + 6U + 1U);
    elapse(seconds(8));
    EXPECT_EQ(reads, 9U);
    elapse_a_round();
    EXPECT_EQ(reads, 18U);
    EXPECT_TRUE(damages.empty());
}

TEST_F(ScrubTest, AFlippedBitInAnyByteIsFound) {
    for (std::size_t at = 0; at < 333; ++at) {
        disk.flip_bit("f/b", at, at % 8);
        elapse_a_round();
        ASSERT_EQ(damages.size(), at + 1);
        disk.flip_bit("f/b", at, at % 8);
        scrub.wrote("b", sum_of(std::string(333, 'b')));
    }
    EXPECT_EQ(damages.front(), "b: its bytes are not those that were written");
}

TEST_F(ScrubTest, AShorterOrMissingFileIsFound) {
    disk.cut("f/b", 200);
    disk.erase("f/a");
    elapse_a_round();
    ASSERT_EQ(damages.size(), 2U);
    EXPECT_TRUE(damages[0].starts_with("a: "));
    EXPECT_EQ(damages[1], "b: it ends at byte 200 of 333");
}

TEST_F(ScrubTest, OfASnapshotHeaderStateAndTrailerAreLookedAt) {
    const std::string file = encode_snapshot(LogIndex(7), Term(2), std::string(150, 's'));
    for (std::size_t at = 0; at < file.size(); ++at) {
        damages.clear();
        disk.put("f/s", file);
        scrub.wrote("s", sum_of_snapshot(file));
        elapse_a_round();
        EXPECT_TRUE(damages.empty());
        disk.flip_bit("f/s", at, 2);
        elapse_a_round();
        ASSERT_EQ(damages.size(), 1U) << at;
    }
}

TEST_F(ScrubTest, WhatIsAddedMeanwhileIsNotJudgedAndThenIs) {
    elapse_until_read(3);
    const FileSum longer = scrub.with("b", "more");
    disk.put("f/b", std::string(333, 'b') + "more");
    scrub.appended("b", longer);
    elapse(seconds(5));
    EXPECT_EQ(reads, 9U);
    EXPECT_TRUE(damages.empty());
    disk.flip_bit("f/b", 335, 0);
    elapse_a_round();
    EXPECT_EQ(damages.size(), 1U);
}

TEST_F(ScrubTest, WhatIsReplacedOrRemovedMeanwhileIsNotJudged) {
    elapse_until_read(1);
    put("a", "another");
    elapse_until_read(2);
    scrub.forget("b");
    disk.erase("f/b");
    elapse_a_round();
    elapse_a_round();
    EXPECT_TRUE(damages.empty());
    disk.flip_bit("f/a", 0, 0);
    elapse_a_round();
    EXPECT_EQ(damages.size(), 1U);
}

TEST_F(ScrubTest, APartThatCannotBeReadIsAskedForOnceMore) {
    elapse_until_read(1);
    disk.fail_next(1, {Errc::io_error, "bad sector"});
    elapse_a_round();
    EXPECT_TRUE(damages.empty());
    disk.fail_next(2, {Errc::io_error, "bad sector"});
    elapse_a_round();
    ASSERT_EQ(damages.size(), 1U);
    EXPECT_NE(damages[0].find("bad sector"), std::string::npos);
}

}  // namespace
}  // namespace muster::raft
