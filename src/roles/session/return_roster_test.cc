#include "roles/session/return_roster.h"

#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "env/manual_time.h"
#include "env/memory_disk.h"

namespace muster::session {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kFile = "return.mroster";
const RegistId kOne("one");
const RegistId kTwo("two");
const RegistId kThree("three");

// A disk and the lives of a session that follow each other on it.
class ReturnRosterTest : public ::testing::Test, env::TimerTarget, env::DiskTarget {
protected:
    ReturnRosterTest() {
        timers_.attach(*this);
    }

    void start(std::uint64_t life, const std::string& boot = "boot",
               std::size_t compact_above = 64 << 10) {
        disk.attach(*this);
        roster.emplace(ReturnRosterOptions{.boot = boot,
                                           .incarnation = Incarnation(life),
                                           .compact_above_bytes = compact_above},
                       ReturnRosterEnv{
                           .disk = &disk, .timers = timers_, .timer = env::TimerKey(7), .log = {}});
        roster->begin();
    }
    // The first life, of a node that was never there before.
    void start_first() {
        start(1);
        disk.pump_all();
        roster->cold_ended();
    }
    // What was queued is lost, but for so many operations.
    void kill(std::size_t operations = 0, std::size_t torn = 0) {
        roster.reset();
        timers_.cancel(env::TimerKey(7));
        disk.crash({.operations = operations, .torn_bytes = torn});
    }
    void turn() {
        roster->flush(clock.mono());
    }
    void settle() {
        turn();
        do {
            disk.pump_all();
            clock.advance(milliseconds(50));
        } while (timers_.fire_due() > 0 || disk.queued() > 0);
    }
    [[nodiscard]] bool holds() const {
        return roster->holds(clock.mono());
    }
    [[nodiscard]] bool sealed() const {
        const auto scan = decode_roster(disk.files().at(kFile));
        return scan && scan->sealed;
    }

    void on_timer(env::TimerKey) override {
        roster->on_timer();
    }
    void on_disk(env::DiskOpId op, const Result<void>& outcome) override {
        roster->on_disk(op, outcome);
        turn();
    }

    env::ManualClock clock;
    env::MemoryDisk disk;
    std::optional<ReturnRoster> roster;

private:
    env::ManualTimers timers_{clock};
};

TEST_F(ReturnRosterTest, NamesToTheNextLifeWhomItHasToWaitFor) {
    start_first();
    EXPECT_FALSE(roster->everybody_back());
    roster->came(kOne);
    roster->came(kTwo);
    roster->came(kThree);
    settle();
    roster->left(kThree);
    settle();
    kill();
    start(2);
    EXPECT_EQ(roster->awaited(), 2U);
    roster->came(kOne);
    roster->came(kThree);
    EXPECT_FALSE(roster->everybody_back());
    roster->left(kTwo);
    EXPECT_TRUE(roster->everybody_back());
}

TEST_F(ReturnRosterTest, KnowsThatNobodyWasThere) {
    start_first();
    settle();
    kill();
    start(2);
    EXPECT_TRUE(roster->everybody_back());
}

TEST_F(ReturnRosterTest, IsNotExactUntilItIsSealed) {
    start_first();
    roster->came(kOne);
    turn();
    disk.pump_all();
    EXPECT_FALSE(sealed());
    clock.advance(milliseconds(49));
    kill();
    start(2);
    EXPECT_FALSE(roster->everybody_back());
    EXPECT_EQ(roster->awaited(), 0U);
}

TEST_F(ReturnRosterTest, HoldsWhoIsNewBackUntilTheSealIsBroken) {
    start_first();
    settle();
    EXPECT_TRUE(sealed());
    roster->came(kOne);
    turn();
    EXPECT_TRUE(holds());
    disk.pump_all();
    EXPECT_FALSE(holds());
    roster->came(kTwo);
    turn();
    EXPECT_FALSE(holds()) << "nobody takes this file for exact";
}

TEST_F(ReturnRosterTest, HoldsNobodyBackForTheSakeOfOneWhoLeaves) {
    start_first();
    roster->came(kOne);
    settle();
    roster->left(kOne);
    turn();
    EXPECT_FALSE(holds());
    kill();
    start(2);
    EXPECT_EQ(roster->awaited(), 1U) << "waiting for too many only takes longer";
}

TEST_F(ReturnRosterTest, HoldsBackWhoComesWhileTheSealIsOnItsWay) {
    start_first();
    roster->came(kOne);
    turn();
    disk.pump_all();
    clock.advance(milliseconds(50));
    on_timer(env::TimerKey(7));
    EXPECT_EQ(disk.queued(), 1U);
    roster->came(kTwo);
    turn();
    EXPECT_TRUE(holds());
    EXPECT_EQ(disk.queued(), 1U) << "one write at a time";
    disk.pump_one();
    EXPECT_TRUE(holds());
    disk.pump_one();
    EXPECT_FALSE(holds());
}

TEST_F(ReturnRosterTest, IsOfNoUseAfterATornWriteAnotherBootOrALifeBetween) {
    start_first();
    settle();
    roster->came(kOne);
    settle();
    const std::string good = disk.files().at(kFile);
    kill();
    const auto exact = [&](std::uint64_t life, const std::string& boot, const std::string& bytes) {
        disk.put(kFile, bytes);
        start(life, boot);
        const bool known = roster->awaited() == 1;
        kill();
        return known;
    };
    EXPECT_TRUE(exact(2, "boot", good));
    EXPECT_FALSE(exact(3, "boot", good));
    EXPECT_FALSE(exact(2, "another", good));
    EXPECT_FALSE(exact(2, "", good));
    EXPECT_FALSE(exact(2, "boot", ""));
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(exact(2, "boot", good.substr(0, size))) << size;
        std::string bad = good;
        bad[size] = static_cast<char>(bad[size] ^ 4);
        EXPECT_FALSE(exact(2, "boot", bad)) << size;
    }
}

TEST_F(ReturnRosterTest, StillNamesThoseAwaitedWhenTheSecondLifeIsKilledToo) {
    start_first();
    roster->came(kOne);
    roster->came(kTwo);
    settle();
    kill();
    start(2);
    roster->came(kTwo);
    settle();
    kill();
    start(3);
    EXPECT_EQ(roster->awaited(), 2U);
    settle();
    roster->cold_ended();
    EXPECT_EQ(roster->awaited(), 0U);
    settle();
    kill();
    start(4);
    EXPECT_TRUE(roster->everybody_back()) << "who was given up is named no more";
}

TEST_F(ReturnRosterTest, StaysAsItIsOnceStopped) {
    start_first();
    roster->came(kOne);
    settle();
    roster->came(kTwo);
    turn();
    roster->left(kTwo);
    disk.pump_all();
    settle();
    EXPECT_TRUE(sealed());
    roster->stop();
    roster->left(kOne);
    settle();
    EXPECT_FALSE(holds());
    kill();
    start(2);
    EXPECT_EQ(roster->awaited(), 1U);
    EXPECT_TRUE(roster->awaits(kOne));
}

TEST_F(ReturnRosterTest, IsNotSealedWhileWhoWasThereBeforeIsUnknown) {
    start(2);
    roster->came(kOne);
    settle();
    EXPECT_FALSE(sealed());
    roster->cold_ended();
    settle();
    EXPECT_TRUE(sealed());
}

TEST_F(ReturnRosterTest, StaysSmallWhileClientsComeAndGo) {
    start(1, "boot", 200);
    disk.pump_all();
    roster->cold_ended();
    roster->came(kOne);
    for (int i = 0; i < 1000; ++i) {
        roster->came(kTwo);
        turn();
        disk.pump_all();
        roster->left(kTwo);
        turn();
        disk.pump_all();
        ASSERT_LE(disk.files().at(kFile).size(), 250U);
    }
    settle();
    kill();
    start(2);
    EXPECT_EQ(roster->awaited(), 1U);
}

TEST_F(ReturnRosterTest, IsRemovedWhenAWriteFailsAndBegunAnew) {
    start_first();
    settle();
    disk.fail_next(1, {Errc::io_error, "no space left"});
    roster->came(kOne);
    turn();
    disk.pump_all();
    EXPECT_EQ(roster->failures().value(), 1U);
    EXPECT_FALSE(disk.files().contains(kFile));
    EXPECT_FALSE(holds());
    clock.advance(seconds(1));
    on_timer(env::TimerKey(7));
    settle();
    EXPECT_TRUE(sealed());
    kill();
    start(2);
    EXPECT_EQ(roster->awaited(), 1U);
}

TEST_F(ReturnRosterTest, HoldsNobodyBackForADiskThatTakesNothing) {
    start_first();
    settle();
    disk.fail_next(2, {Errc::io_error, "read-only"});
    roster->came(kOne);
    turn();
    EXPECT_TRUE(holds());
    disk.pump_all();
    EXPECT_FALSE(holds());
}

TEST_F(ReturnRosterTest, HoldsNobodyBackForLongForADiskThatHangs) {
    start_first();
    settle();
    roster->came(kOne);
    turn();
    clock.advance(seconds(4));
    EXPECT_TRUE(holds());
    roster->extend(seconds(3));
    clock.advance(seconds(3));
    EXPECT_TRUE(holds()) << "we stood still ourselves";
    clock.advance(seconds(1));
    EXPECT_FALSE(holds());
}

TEST(RosterCodec, TellsAnotherFormatFromDamage) {
    std::string other = encode_roster_header({.boot = 1, .incarnation = 2});
    other[11] = 9;
    EXPECT_EQ(decode_roster(other).error().code, Errc::corrupt) << "a byte that went bad";
    std::string crc;
    append_big_endian(crc, crc32c(other.substr(0, 28)));
    other.replace(28, 4, crc);
    EXPECT_EQ(
        decode_roster(other).error(),
        (Error{Errc::refused, "written in format 9 by another release, this one reads format 1"}));
}

TEST(RosterCodec, HoldsTheBytesOfTheDocumentedExample) {
    const RosterHeader header{.boot = 0x0102030405060708, .incarnation = 9};
    std::string bytes = encode_roster_header(header);
    append_roster_changes(bytes, header, {0xA1, 0xA2}, {0xB1});
    append_roster_seal(bytes, header, 2);
    std::string hex;
    for (const char c : bytes) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        hex += kDigits[static_cast<unsigned char>(c) >> 4U];
        hex += kDigits[static_cast<unsigned char>(c) & 15U];
    }
    EXPECT_EQ(hex,
              "4d5553545245540a0000000101020304050607080000000000000009"
              "68f65ad3"
              "0e706d53010000000200000001"
              "00000000000000a100000000000000a200000000000000b1"
              "c3a44bb5020000000200000000");
    const auto scan = decode_roster(bytes);
    ASSERT_TRUE(scan.has_value());
    EXPECT_EQ(scan->header, header);
    EXPECT_EQ(scan->names, (RosterNames{0xA1, 0xA2}));
    EXPECT_TRUE(scan->sealed);
}

}  // namespace
}  // namespace muster::session
