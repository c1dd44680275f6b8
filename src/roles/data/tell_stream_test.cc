#include "roles/data/tell_stream.h"

#include <gtest/gtest.h>

namespace muster::data {
namespace {

using std::chrono::seconds;

PublicationPtr publication(std::uint64_t number, std::size_t kib = 0) {
    Publication made;
    made.id = RegistId("p" + std::to_string(100 + number));
    made.boxes = Boxes({std::string(kib << 10U, 'x')});
    return std::make_shared<const Publication>(std::move(made));
}

DatumSnapshot list_of(std::size_t many, std::size_t departed = 0) {
    DatumSnapshot list{.version = Version(7), .settled = true};
    for (std::size_t i = 0; i < many; ++i) {
        list.publications.push_back(publication(i));
    }
    for (std::size_t i = 0; i < departed; ++i) {
        list.departed.push_back({.id = RegistId("d" + std::to_string(i)), .order = {}});
    }
    return list;
}

DatumChange change(std::uint64_t to) {
    return {.from = Version(to - 1), .to = Version(to), .upserts = {publication(to)}};
}

class TellStreamTest : public ::testing::Test {
protected:
    TellStreamTest() {
        stream.begin(3);
    }
    std::vector<msg::ChangeBatch> all_next() {
        std::vector<msg::ChangeBatch> all;
        while (auto batch = stream.next()) {
            EXPECT_EQ(batch->stream, 3U);
            EXPECT_EQ(batch->seq, all.empty() ? batch->seq : all.back().seq + 1);
            all.push_back(std::move(*batch));
        }
        return all;
    }

    // A change counts two, a list one more than its items.
    TellStream stream{{.batch = 10, .window = 40, .waiting = 100, .patience = seconds(5)}};
    MonoTime now{seconds(1)};
};

TEST_F(TellStreamTest, TellsWhatFitsInOneMessage) {
    stream.push(change(1), now);
    stream.push(list_of(3), now);
    stream.push(change(2), now);
    stream.push(change(3), now);
    stream.push(change(4), now);
    const auto told = all_next();
    ASSERT_EQ(told.size(), 2U);
    EXPECT_EQ(told[0].changes.size(), 4U);
    EXPECT_EQ(told[1].changes.size(), 1U);
    EXPECT_FALSE(told[0].goes_on);
    EXPECT_TRUE(told[0].ack_due) << "a quarter of the window";
    EXPECT_FALSE(told[1].ack_due);
}

TEST_F(TellStreamTest, CutsALongListAndTellsWhatFollowsAfterIt) {
    stream.push(change(1), now);
    stream.push(list_of(22, 3), now);
    stream.push(change(2), now);
    const auto told = all_next();
    ASSERT_EQ(told.size(), 5U);
    EXPECT_TRUE(std::holds_alternative<DatumChange>(told[0].changes.at(0)));
    std::vector<RegistId> ids;
    std::size_t departed = 0;
    for (std::size_t i = 1; i <= 3; ++i) {
        EXPECT_EQ(told[i].goes_on, i < 3) << i;
        ASSERT_EQ(told[i].changes.size(), 1U);
        const auto& piece = std::get<DatumSnapshot>(told[i].changes.front());
        EXPECT_EQ(piece.version, Version(7));
        EXPECT_TRUE(piece.settled);
        for (const auto& item : piece.publications) {
            ids.push_back(item->id);
        }
        departed += piece.departed.size();
    }
    EXPECT_EQ(ids.size(), 22U);
    EXPECT_TRUE(std::ranges::is_sorted(ids));
    EXPECT_EQ(departed, 3U);
    EXPECT_TRUE(std::holds_alternative<DatumChange>(told[4].changes.at(0)));
    EXPECT_EQ(stream.waiting(), 0U);
}

TEST_F(TellStreamTest, CountsBytesToo) {
    DatumSnapshot list = list_of(0);
    for (std::uint64_t i = 0; i < 6; ++i) {
        list.publications.push_back(publication(i, 4));
    }
    stream.push(std::move(list), now);
    const auto told = all_next();
    ASSERT_EQ(told.size(), 3U);
    for (const auto& batch : told) {
        EXPECT_EQ(std::get<DatumSnapshot>(batch.changes.at(0)).publications.size(), 2U);
    }
}

TEST_F(TellStreamTest, SendsNoMoreThanTheWindowBeforeSomeIsTaken) {
    stream.push(list_of(90), now);
    const auto told = all_next();
    ASSERT_EQ(told.size(), 4U);
    EXPECT_GT(stream.waiting(), 0U);
    EXPECT_FALSE(stream.taken(2, told[0].seq, now)) << "another stream";
    EXPECT_FALSE(stream.taken(3, 0, now));
    EXPECT_TRUE(stream.taken(3, told[1].seq, now));
    EXPECT_FALSE(stream.taken(3, told[0].seq, now)) << "no news";
    EXPECT_EQ(all_next().size(), 2U);
    EXPECT_TRUE(stream.taken(3, stream.last_seq(), now));
    EXPECT_EQ(all_next().size(), 3U);
    EXPECT_EQ(stream.waiting(), 0U);
}

TEST_F(TellStreamTest, EndsAfterWhatThereIsRoomFor) {
    EXPECT_TRUE(stream.push(list_of(500), now)) << "one may be longer";
    EXPECT_FALSE(stream.push(change(1), now));
    EXPECT_TRUE(stream.push(change(2), now)) << "ended, and said";
    while (stream.waiting() > 0) {
        const auto told = all_next();
        ASSERT_FALSE(told.empty());
        stream.taken(3, told.back().seq, now);
        if (stream.waiting() > 0) {
            EXPECT_EQ(stream.last_seq(), told.back().seq);
        } else {
            EXPECT_FALSE(told.back().goes_on) << "the list went whole";
            EXPECT_EQ(stream.last_seq(), told.back().seq + 1) << "the session sees a gap";
        }
    }
    stream.push(change(3), now);
    EXPECT_FALSE(stream.next());
    stream.begin(4);
    EXPECT_EQ(stream.last_seq(), 0U);
    EXPECT_TRUE(stream.push(change(4), now));
    EXPECT_EQ(stream.next()->seq, 1U);
}

TEST_F(TellStreamTest, EndsWhenNothingIsTakenForLong) {
    stream.push(list_of(90), now);
    const auto told = all_next();
    now += seconds(4);
    EXPECT_TRUE(stream.push(change(1), now));
    EXPECT_TRUE(stream.taken(3, told.front().seq, now));
    now += seconds(4);
    EXPECT_TRUE(stream.push(change(2), now));
    now += seconds(1);
    EXPECT_FALSE(stream.push(change(3), now));
    EXPECT_EQ(stream.waiting(), 0U);
    EXPECT_EQ(stream.last_seq(), told.back().seq + 1);
}

TEST_F(TellStreamTest, IsPatientWithWhoHasNothingToTake) {
    stream.push(change(1), now);
    static_cast<void>(all_next());
    now += seconds(60);
    EXPECT_TRUE(stream.push(change(2), now));
    EXPECT_EQ(all_next().size(), 1U);
}

}  // namespace
}  // namespace muster::data
