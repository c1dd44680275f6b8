#include "env/memory_disk.h"

#include <gtest/gtest.h>

namespace muster::env {
namespace {

class Reports final : public DiskTarget {
public:
    void on_disk(DiskOpId op, const Result<void>& outcome) override {
        all.emplace_back(op.raw(), outcome.has_value());
    }
    std::vector<std::pair<std::uint64_t, bool>> all;
};

TEST(MemoryDisk, DoesNothingBeforeItIsPumpedAndKeepsTheOrder) {
    MemoryDisk disk;
    Reports reports;
    disk.attach(reports);
    disk.append(DiskOpId(1), "f/a", "one");
    disk.append(DiskOpId(2), "f/a", "two");
    disk.replace(DiskOpId(3), "f/b", "new");
    disk.remove(DiskOpId(4), "f/none");
    EXPECT_EQ(disk.read("f/a").error().code, Errc::not_found);
    EXPECT_TRUE(disk.pump_one());
    EXPECT_EQ(disk.read("f/a"), "one");
    EXPECT_EQ(disk.pump_all(), 3U);
    EXPECT_EQ(disk.read("f/a"), "onetwo");
    EXPECT_EQ(disk.list("f"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(reports.all.size(), 4U);
    EXPECT_EQ(reports.all[3], std::pair(std::uint64_t{4}, true));
}

TEST(MemoryDisk, ForgetsAtACrashWhatWasNotDoneAndTearsTheNextAppend) {
    MemoryDisk disk;
    Reports reports;
    disk.attach(reports);
    disk.append(DiskOpId(1), "a", "one");
    disk.append(DiskOpId(2), "a", "twotwo");
    disk.append(DiskOpId(3), "a", "three");
    disk.crash({.operations = 1, .torn_bytes = 2, .torn_as_zeros = true});
    EXPECT_EQ(disk.read("a"), std::string("onetw\0\0\0\0", 9));
    EXPECT_EQ(disk.queued(), 0U);
    EXPECT_TRUE(reports.all.empty());
}

TEST(MemoryDisk, FailsAsToldAndLeavesPartOfAnAppend) {
    MemoryDisk disk;
    Reports reports;
    disk.attach(reports);
    disk.fail_next(2, {Errc::io_error, "full"}, 2);
    disk.append(DiskOpId(1), "a", "one");
    disk.replace(DiskOpId(2), "b", "two");
    disk.append(DiskOpId(3), "c", "three");
    disk.pump_all();
    EXPECT_EQ(disk.files().at("a"), "on");
    EXPECT_FALSE(disk.files().contains("b"));
    EXPECT_EQ(disk.files().at("c"), "three");
    EXPECT_FALSE(reports.all[1].second);
    disk.flip_bit("c", 0, 0);
    EXPECT_EQ(disk.files().at("c"), "uhree");
}

}  // namespace
}  // namespace muster::env
