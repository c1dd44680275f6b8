#include "apps/muster/bench/program_file.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::cli::bench {
namespace {

using testing::HasSubstr;

class ProgramFileTest : public testing::Test {
protected:
    ProgramFileTest() {
        EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
    }
    ~ProgramFileTest() override {
        std::filesystem::remove_all(folder_);
    }
    std::string file(const std::string& content) const {
        const std::string path = folder_ + "/program";
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    static std::string own() {
        std::ifstream program("/proc/self/exe", std::ios::binary);
        return {std::istreambuf_iterator<char>(program), {}};
    }

    std::string folder_ = (std::filesystem::temp_directory_path() / "program-XXXXXX").string();
};

TEST_F(ProgramFileTest, IsThisOneWithItsSizeAndSymbols) {
    const auto program = describe_program("/proc/self/exe");
    ASSERT_TRUE(program.has_value());
    EXPECT_EQ(program->bytes, std::filesystem::file_size("/proc/self/exe"));
    EXPECT_FALSE(program->stripped) << "tests are built with symbols";
}

TEST_F(ProgramFileTest, WithoutATableOfSymbolsIsStripped) {
    std::string program = own();
    program.replace(60, 2, std::string(2, '\0'));  // e_shnum: no sections at all
    const auto read = describe_program(file(program));
    ASSERT_TRUE(read.has_value());
    EXPECT_TRUE(read->stripped);
}

TEST_F(ProgramFileTest, OtherThingsAreNone) {
    EXPECT_EQ(describe_program(folder_ + "/nothing").error().code, Errc::not_found);
    EXPECT_THAT(describe_program(file("#!/bin/sh\n")).error().detail, HasSubstr("is no program"));
    EXPECT_THAT(describe_program(file(std::string(500, 'x'))).error().detail,
                HasSubstr("is no program"));
    EXPECT_THAT(describe_program(file(own().substr(0, 5000))).error().detail,
                HasSubstr("ends before its sections"));
}

}  // namespace
}  // namespace muster::cli::bench
