#include "history/ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "history/search.h"
#include "history/test_folder.h"

namespace muster::history {
namespace {

constexpr std::int64_t kBegin = 1'700'000'000'000;

class HistoryRing : public testing::Test {
protected:
    void open(RingOptions options = {}) {
        ring = std::make_unique<Ring>(folder, options);
        EXPECT_TRUE(ring->open());
    }
    // Blocks of one record, from `first` on, a second apart.
    Result<void> write(std::uint64_t first, std::uint64_t count,
                       const std::string& service = "orders") {
        Result<void> last;
        for (std::uint64_t number = first; number < first + count; ++number) {
            Batch batch;
            TestRecord{.service = service,
                       .at_ms = kBegin + static_cast<std::int64_t>(number) * 1000,
                       .number = number}
                .add_to(batch);
            last = ring->write(batch, {});
        }
        return last;
    }
    Answer ask(Query query = {}, std::uint64_t bytes_max = UINT64_MAX) {
        if (query.service.empty()) {
            query.service = path_of("orders");
        }
        Search search(std::move(query), bytes_max);
        while (!search.step(*ring)) {
        }
        return search.take();
    }
    // Numbers of the records, newest first.
    static std::vector<std::uint64_t> numbers(const Answer& answer) {
        std::vector<std::uint64_t> all;
        for (const HistoryRecord& record : answer.records) {
            all.push_back(std::stoull(record.id.raw().substr(1)));
        }
        return all;
    }

    TestFolder folder;
    std::unique_ptr<Ring> ring;
};

using testing::ElementsAre;

TEST_F(HistoryRing, TellsTheNewestFirstUpToTheLimit) {
    open();
    ASSERT_TRUE(write(1, 5));
    ASSERT_TRUE(write(6, 1, "stock"));
    const Answer all = ask();
    EXPECT_THAT(numbers(all), ElementsAre(5, 4, 3, 2, 1));
    EXPECT_FALSE(all.more);
    EXPECT_EQ(all.reaches_ms, kBegin + 1000);
    const Answer some = ask({.limit = 2});
    EXPECT_THAT(numbers(some), ElementsAre(5, 4));
    EXPECT_TRUE(some.more);
    EXPECT_THAT(numbers(ask({.address = "10.0.0.1:3"})), ElementsAre(3));
    EXPECT_THAT(numbers(ask({.since_ms = kBegin + 4000})), ElementsAre(5, 4));
    EXPECT_THAT(numbers(ask({.until_ms = kBegin + 2000})), ElementsAre(2, 1));
    EXPECT_THAT(numbers(ask({.service = path_of("prices")})), ElementsAre());
}

TEST_F(HistoryRing, IsThereInTheNextLife) {
    open();
    ASSERT_TRUE(write(1, 2));
    open();  // as after kill -9: nothing was closed
    ASSERT_TRUE(write(3, 1));
    EXPECT_EQ(folder.files.size(), 2U);
    EXPECT_THAT(numbers(ask()), ElementsAre(3, 2, 1));
    ring->close();
    open();
    EXPECT_THAT(numbers(ask()), ElementsAre(3, 2, 1));
}

TEST_F(HistoryRing, ReadsATornSegmentUpToTheTear) {
    open();
    ASSERT_TRUE(write(1, 3));
    std::string& file = folder.files.begin()->second;
    file.resize(file.size() - 5);
    open();
    EXPECT_THAT(numbers(ask()), ElementsAre(2, 1));
    ASSERT_TRUE(write(4, 1));
    open();
    EXPECT_THAT(numbers(ask()), ElementsAre(4, 2, 1)) << "a trailer was put behind the tear";
}

TEST_F(HistoryRing, OutlivesFilesThatAreNotItsOwnOrBroken) {
    folder.files["readme.txt"] = "not ours";
    folder.files["zzzzzzzzzzzzzzzz.history"] = "neither";
    folder.files["0000000000000007.history"] = std::string(5000, 'x');
    open();
    ASSERT_TRUE(write(1, 1));
    EXPECT_TRUE(folder.files.contains("0000000000000008.history"));
    EXPECT_THAT(numbers(ask()), ElementsAre(1));
    EXPECT_EQ(folder.files["readme.txt"], "not ours");
}

TEST_F(HistoryRing, GoesRoundWithinItsSize) {
    const RingOptions options{.bytes_max = 64U << 10U, .segment_bytes = 8U << 10U};
    open(options);
    constexpr std::uint64_t kWritten = 3000;
    ASSERT_TRUE(write(1, kWritten));
    EXPECT_LE(folder.bytes(), options.bytes_max + kTrailerBytesMax);
    EXPECT_EQ(ring->stats().bytes, folder.bytes());
    EXPECT_EQ(ring->stats().segments, folder.files.size());
    const Answer answer = ask({.limit = kWritten});
    const auto kept = numbers(answer);
    ASSERT_GT(kept.size(), 100U);
    EXPECT_EQ(kept.front(), kWritten);
    EXPECT_EQ(kept.back(), kWritten - kept.size() + 1) << "there is no gap";
    EXPECT_EQ(answer.reaches_ms, kBegin + static_cast<std::int64_t>(kept.back()) * 1000);
    open({.bytes_max = 16U << 10U, .segment_bytes = 4U << 10U});
    EXPECT_LE(folder.bytes(), 16U << 10U) << "it is made smaller when it is opened";
}

TEST_F(HistoryRing, ReadsLargeSegmentsOfALifeWithOtherOptions) {
    open();
    ASSERT_TRUE(write(1, 500));
    open({.segment_bytes = 1});
    ASSERT_TRUE(write(501, 2));
    EXPECT_THAT(ask({.limit = 1000}).records, testing::SizeIs(502));
}

TEST_F(HistoryRing, HasNoMoreFilesThanItMay) {
    for (std::uint64_t life = 1; life <= 10; ++life) {
        open({.segments_max = 4});
        ASSERT_TRUE(write(life, 1));
    }
    EXPECT_LE(folder.files.size(), 4U);
    EXPECT_THAT(numbers(ask()), ElementsAre(10, 9, 8, 7));
}

TEST_F(HistoryRing, GivesUpItsOldestWhenTheDiskIsFull) {
    open({.segment_bytes = 1024});
    ASSERT_TRUE(write(1, 50));
    const std::size_t before = ask({.limit = 1000}).records.size();
    folder.room = 100;
    ASSERT_TRUE(write(51, 20));
    const auto kept = numbers(ask({.limit = 1000}));
    EXPECT_EQ(kept.front(), 70U);
    EXPECT_LT(kept.size(), before + 20);
    EXPECT_EQ(ring->stats().lost_records, 0U);
}

TEST_F(HistoryRing, LeavesToOthersWhatIsTheirs) {
    open({.segment_bytes = 1024});
    ASSERT_TRUE(write(1, 50));
    folder.spare = 0;
    EXPECT_FALSE(write(51, 5));
    EXPECT_EQ(folder.files.size(), 1U);
    folder.spare.reset();
    EXPECT_TRUE(write(56, 1));
}

TEST_F(HistoryRing, CountsWhatItCouldNotKeepAndTellsIt) {
    open();
    ASSERT_TRUE(write(1, 1));
    folder.broken = true;
    EXPECT_FALSE(write(2, 3));
    EXPECT_EQ(ring->stats().lost_records, 3U);
    const HistoryLoss loss{.from_ms = kBegin + 2000, .to_ms = kBegin + 4000, .records = 3};
    EXPECT_THAT(ask().lost, ElementsAre(loss)) << "before it is written";
    folder.broken = false;
    ASSERT_TRUE(write(5, 1));
    EXPECT_THAT(ask().lost, ElementsAre(loss));
    EXPECT_THAT(numbers(ask()), ElementsAre(5, 1));
    open();
    EXPECT_THAT(ask().lost, ElementsAre(loss)) << "in the next life";
    EXPECT_THAT(ask({.since_ms = kBegin + 4500}).lost, ElementsAre());
}

TEST_F(HistoryRing, DoesNotReadWhatHasNothingOfTheService) {
    open({.segment_bytes = 1024});
    ASSERT_TRUE(write(1, 1, "rare"));
    ASSERT_TRUE(write(2, 500));
    const std::size_t segments = folder.files.size();
    ASSERT_GT(segments, 10U);
    folder.reads = 0;
    EXPECT_THAT(numbers(ask({.service = path_of("rare")})), ElementsAre(1));
    EXPECT_LT(folder.reads, segments / 2);
}

TEST_F(HistoryRing, SaysHowFarItLookedWhenThereIsTooMuch) {
    open({.segment_bytes = 1024});
    ASSERT_TRUE(write(1, 500));
    const Answer answer = ask({.address = "10.0.0.1:1"}, 8U << 10U);
    EXPECT_THAT(numbers(answer), ElementsAre());
    EXPECT_GT(answer.reaches_ms, kBegin + 100'000);
    EXPECT_LT(answer.reaches_ms, kBegin + 500'000);
}

TEST_F(HistoryRing, MayBeWrittenWhileItIsAsked) {
    const RingOptions options{.bytes_max = 16U << 10U, .segment_bytes = 2U << 10U};
    open(options);
    ASSERT_TRUE(write(1, 300));
    Search search({.service = path_of("orders"), .limit = 1000}, UINT64_MAX);
    std::uint64_t number = 301;
    while (!search.step(*ring)) {
        ASSERT_TRUE(write(number++, 3));
    }
    const auto told = numbers(search.take());
    EXPECT_EQ(told.front(), 300U);
    EXPECT_TRUE(std::ranges::is_sorted(told, std::greater{}));
}

}  // namespace
}  // namespace muster::history
